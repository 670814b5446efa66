import {
  ListValue,
  NullValue,
  Struct,
  Value as ProtoValue,
} from "google-protobuf/google/protobuf/struct_pb";
import { setOwn, type Value, type ValueMap } from "./value";

/** A map as google.protobuf.Struct. */
export function toStruct(map: ValueMap): Struct {
  const struct = new Struct();
  const fields = struct.getFieldsMap();
  for (const [key, value] of Object.entries(map)) fields.set(key, toProto(value));
  return struct;
}

/** A google.protobuf.Struct as a map; a missing one is the empty map. */
export function fromStruct(struct: Struct | undefined): ValueMap {
  const map: ValueMap = {};
  struct?.getFieldsMap().forEach((value: ProtoValue, key: string) => {
    setOwn(map, key, fromProto(value));
  });
  return map;
}

function toProto(value: Value): ProtoValue {
  const proto = new ProtoValue();
  if (value === null || value === undefined) proto.setNullValue(NullValue.NULL_VALUE);
  else if (typeof value === "boolean") proto.setBoolValue(value);
  else if (typeof value === "number") proto.setNumberValue(value);
  else if (typeof value === "string") proto.setStringValue(value);
  else if (Array.isArray(value)) {
    const list = new ListValue();
    list.setValuesList(value.map(toProto));
    proto.setListValue(list);
  } else proto.setStructValue(toStruct(value));
  return proto;
}

function fromProto(proto: ProtoValue): Value {
  switch (proto.getKindCase()) {
    case ProtoValue.KindCase.BOOL_VALUE:
      return proto.getBoolValue();
    case ProtoValue.KindCase.NUMBER_VALUE:
      return proto.getNumberValue();
    case ProtoValue.KindCase.STRING_VALUE:
      return proto.getStringValue();
    case ProtoValue.KindCase.LIST_VALUE:
      return (proto.getListValue()?.getValuesList() ?? []).map(fromProto);
    case ProtoValue.KindCase.STRUCT_VALUE:
      return fromStruct(proto.getStructValue());
    case ProtoValue.KindCase.NULL_VALUE:
    case ProtoValue.KindCase.KIND_NOT_SET:
      return null;
  }
}

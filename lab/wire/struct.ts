import {
  ListValue,
  NullValue,
  Struct,
  Value as ProtoValue,
} from "google-protobuf/google/protobuf/struct_pb";
import { type Value, type ValueMap } from "./values";

/**
 * Properties as protobuf Struct. Keys whose value is undefined are left out, and so is a key named `__proto__`,
 * which the protobuf library cannot hold.
 */
export function toStruct(map: Readonly<Record<string, Value | undefined>>): Struct {
  const struct = new Struct();
  const fields = struct.getFieldsMap();
  for (const [key, value] of Object.entries(map)) {
    if (value !== undefined) fields.set(key, toProtoValue(value));
  }
  return struct;
}

/** Properties from a protobuf Struct; a missing one is empty. */
export function fromStruct(struct: Struct | undefined): ValueMap {
  if (!struct) return {};
  return Object.fromEntries(
    struct
      .getFieldsMap()
      .getEntryList()
      .map(([key]) => [key, fromProtoValue(struct.getFieldsMap().get(key))]),
  );
}

/** One value as protobuf Value. */
export function toProtoValue(value: Value): ProtoValue {
  const proto = new ProtoValue();
  if (value === null) return proto.setNullValue(NullValue.NULL_VALUE);
  if (typeof value === "boolean") return proto.setBoolValue(value);
  if (typeof value === "number") return proto.setNumberValue(value);
  if (typeof value === "string") return proto.setStringValue(value);
  if (Array.isArray(value)) {
    return proto.setListValue(new ListValue().setValuesList(value.map(toProtoValue)));
  }
  return proto.setStructValue(toStruct(value));
}

/** One value from a protobuf Value; one that says nothing is null. */
export function fromProtoValue(proto: ProtoValue | undefined): Value {
  if (!proto) return null;
  switch (proto.getKindCase()) {
    case ProtoValue.KindCase.BOOL_VALUE:
      return proto.getBoolValue();
    case ProtoValue.KindCase.NUMBER_VALUE:
      return proto.getNumberValue();
    case ProtoValue.KindCase.STRING_VALUE:
      return proto.getStringValue();
    case ProtoValue.KindCase.LIST_VALUE:
      return (proto.getListValue()?.getValuesList() ?? []).map(fromProtoValue);
    case ProtoValue.KindCase.STRUCT_VALUE:
      return fromStruct(proto.getStructValue());
    case ProtoValue.KindCase.NULL_VALUE:
    case ProtoValue.KindCase.KIND_NOT_SET:
      return null;
  }
}

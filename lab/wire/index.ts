/** What goes over Pulumi's wire: values with their marks, their protobuf form, and the walks that both ends need. */
export * from "./mask";
export * from "./sentinels";
export * from "./struct";
export * from "./values";
export * from "./walk";

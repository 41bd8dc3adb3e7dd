import { type Static, type TSchema, type TSchemaOptions, Type } from 'typebox';

/** A string of at most `maxLength` (253) characters. */
export function Text(description: string, maxLength = 253) {
  return Type.String({ maxLength, description });
}

/** A list of strings; at most 256 of at most 4,096 characters unless told otherwise. */
export function Texts(description: string, options: { minItems?: number; maxItems?: number; maxLength?: number } = {}) {
  const { maxLength = 4096, ...list } = options;
  return Type.Array(Type.String({ maxLength }), { maxItems: 256, ...list, description });
}

/** A number of things, from 0. */
export function Count(description: string) {
  return Type.Integer({ minimum: 0, description });
}

/** A choice between strings: a structural `enum`, which CRDs take, instead of a union of literals, which they do not. */
export function StringEnum<const V extends string>(values: readonly V[], options: TSchemaOptions = {}) {
  return Type.Unsafe<V>({ type: 'string', enum: [...values], ...options });
}

/** A map from string to string, such as labels. */
export function StringMap(options: TSchemaOptions & { maxProperties?: number } = {}) {
  return MapOf(Type.String({ maxLength: 4096 }), options);
}

/** A map with free keys, at most 256 unless told otherwise. `Type.Record` would emit patternProperties, which structural schemas do not know. */
export function MapOf<T extends TSchema>(values: T, options: TSchemaOptions & { maxProperties?: number } = {}) {
  return Type.Unsafe<Record<string, Static<T>>>({
    type: 'object',
    additionalProperties: values,
    maxProperties: 256,
    ...options,
  });
}

/** An object of somebody else's schema: the API server keeps whatever is in it. */
export function Opaque<T = Record<string, unknown>>(options: TSchemaOptions = {}) {
  return Type.Unsafe<T>({ type: 'object', 'x-kubernetes-preserve-unknown-fields': true, ...options });
}

/** A whole Kubernetes object carried inside another one; the API server checks its apiVersion, kind and metadata. */
export function EmbeddedObject<T>(options: TSchemaOptions = {}) {
  return Opaque<T>({ 'x-kubernetes-embedded-resource': true, ...options });
}

/** Kubernetes' int-or-string, used for quantities. */
export function IntOrString(options: TSchemaOptions = {}) {
  return Type.Unsafe<number | string>({ 'x-kubernetes-int-or-string': true, ...options });
}

/** The same, or null: the API server keeps a null that somebody writes instead of refusing the object. */
export function Nullable<T extends TSchema>(schema: T) {
  return Type.Unsafe<Static<T> | null>({ ...schema, nullable: true });
}

/** A CEL rule; `message` names the field and the remedy. */
export type Rule = { rule: string; message: string; fieldPath?: string };

/** The schema extension that makes the API server check the rules. */
export function rules(...list: Rule[]): { 'x-kubernetes-validations': Rule[] } {
  return { 'x-kubernetes-validations': list };
}

/** A list whose entries are found by these fields: server-side apply merges entry by entry. */
export function mapBy(...keys: string[]): { 'x-kubernetes-list-type': 'map'; 'x-kubernetes-list-map-keys': string[] } {
  return { 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': keys };
}

export const LocalObjectReference = Type.Object(
  { name: Type.Optional(Type.String({ default: '', maxLength: 253, description: 'Name of the object.' })) },
  { description: 'An object of the same namespace.' },
);
export type LocalObjectReference = Static<typeof LocalObjectReference>;

export const Conditions = Type.Array(
  Type.Object({
    type: Type.String({ maxLength: 316, description: 'What is judged, in CamelCase.' }),
    status: StringEnum(['True', 'False', 'Unknown'], { description: 'The judgement.' }),
    reason: Type.String({
      minLength: 1,
      maxLength: 1024,
      pattern: '^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$',
      description: 'Why, in one CamelCase word.',
    }),
    message: Type.String({ maxLength: 32768, description: 'Why, for a person, with the remedy.' }),
    lastTransitionTime: Type.String({ format: 'date-time', description: 'When the status last changed.' }),
    observedGeneration: Type.Optional(Type.Integer({ minimum: 0, description: 'The generation that was judged.' })),
  }),
  { maxItems: 128, ...mapBy('type'), description: 'metav1.Condition list.' },
);

/** metav1.LabelSelector. */
export const LabelSelector = Type.Object(
  {
    matchLabels: Type.Optional(StringMap({ description: 'Labels that must be equal.' })),
    matchExpressions: Type.Optional(
      Type.Array(
        Type.Object(
          {
            key: Type.String({ maxLength: 316, description: 'Label key.' }),
            operator: StringEnum(['In', 'NotIn', 'Exists', 'DoesNotExist'], {
              description: 'How the values are compared.',
            }),
            values: Type.Optional(Texts('For In, NotIn.', { maxItems: 1000, maxLength: 63 })),
          },
          rules(
            {
              rule: "!(self.operator in ['In', 'NotIn']) || (has(self.values) && size(self.values) > 0)",
              message: 'values are missing; operators In and NotIn need at least one',
            },
            {
              rule: "!(self.operator in ['Exists', 'DoesNotExist']) || !has(self.values) || size(self.values) == 0",
              message: 'values must be empty with operators Exists and DoesNotExist; remove them, or use In or NotIn',
            },
          ),
        ),
        { maxItems: 256, description: 'Expressions, all of which must hold.' },
      ),
    ),
  },
  { description: 'Labels; matchLabels and matchExpressions must both hold.' },
);
export type LabelSelector = Static<typeof LabelSelector>;

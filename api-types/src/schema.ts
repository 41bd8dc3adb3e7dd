import { type Static, type TSchema, type TSchemaOptions, Type } from 'typebox';

/** A choice between strings: a structural `enum`, which CRDs take, instead of a union of literals, which they do not. */
export function StringEnum<const V extends string>(values: readonly V[], options: TSchemaOptions = {}) {
  return Type.Unsafe<V>({ type: 'string', enum: [...values], ...options });
}

/** A map from string to string, such as labels. */
export function StringMap(options: TSchemaOptions & { maxProperties?: number } = {}) {
  return MapOf(Type.String({ maxLength: 4096 }), { maxProperties: 256, ...options });
}

/** A map with free keys. `Type.Record` would emit patternProperties, which structural schemas do not know. */
export function MapOf<T extends TSchema>(values: T, options: TSchemaOptions & { maxProperties?: number } = {}) {
  return Type.Unsafe<Record<string, Static<T>>>({ type: 'object', additionalProperties: values, ...options });
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
    reason: Type.String({ minLength: 1, maxLength: 1024, description: 'Why, in one CamelCase word.' }),
    message: Type.String({ maxLength: 32768, description: 'Why, for a person, with the remedy.' }),
    lastTransitionTime: Type.String({ format: 'date-time', description: 'When the status last changed.' }),
    observedGeneration: Type.Optional(Type.Integer({ minimum: 0, description: 'The generation that was judged.' })),
  }),
  { maxItems: 32, ...mapBy('type'), description: 'metav1.Condition list.' },
);

/** core/v1 Toleration. */
export const Toleration = Type.Object({
  key: Type.Optional(
    Type.String({ maxLength: 316, description: 'Taint key; empty with operator Exists matches all.' }),
  ),
  operator: Type.Optional(Type.String({ maxLength: 16, description: 'Equal (default) or Exists.' })),
  value: Type.Optional(Type.String({ maxLength: 63, description: 'Taint value, for Equal.' })),
  effect: Type.Optional(
    Type.String({ maxLength: 32, description: 'NoSchedule, PreferNoSchedule, NoExecute; empty: all.' }),
  ),
  tolerationSeconds: Type.Optional(Type.Integer({ description: 'For NoExecute: how long the taint is tolerated.' })),
});
export type Toleration = Static<typeof Toleration>;

/** metav1.LabelSelector. */
export const LabelSelector = Type.Object({
  matchLabels: Type.Optional(StringMap({ maxProperties: 64, description: 'Labels that must be equal.' })),
  matchExpressions: Type.Optional(
    Type.Array(
      Type.Object({
        key: Type.String({ maxLength: 316, description: 'Label key.' }),
        operator: StringEnum(['In', 'NotIn', 'Exists', 'DoesNotExist'], {
          description: 'How the values are compared.',
        }),
        values: Type.Optional(
          Type.Array(Type.String({ maxLength: 63 }), { maxItems: 1000, description: 'For In, NotIn.' }),
        ),
      }),
      { maxItems: 64, description: 'Expressions, all of which must hold.' },
    ),
  ),
});
export type LabelSelector = Static<typeof LabelSelector>;

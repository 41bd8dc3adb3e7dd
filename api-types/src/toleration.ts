import { type Static, Type } from 'typebox';
import { DNS_SUBDOMAIN, LABEL_NAME } from './patterns.ts';
import { rules } from './schema.ts';

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

const EXISTS = "has(self.operator) && self.operator == 'Exists'";

/** A toleration that a person writes, under the rules of KMM v2.6's webhook (rule 2), which are those of pods. */
export const CheckedToleration = Type.Object(
  Toleration.properties,
  rules(
    {
      rule: "!has(self.operator) || self.operator in ['', 'Equal', 'Exists']",
      message: 'operator of a toleration must be Equal or Exists; correct it, or remove it for Equal',
    },
    {
      rule: `(has(self.key) && self.key != '') || (${EXISTS})`,
      message: 'key of a toleration is empty; set it, or set operator Exists to tolerate every taint',
    },
    {
      rule: `!has(self.key) || self.key == '' || (self.key.indexOf('/') <= 253 && self.key.matches('^(${DNS_SUBDOMAIN}/)?${LABEL_NAME}$'))`,
      message: 'key of a toleration must be a label key such as example.com/gpu; correct it',
    },
    {
      rule: `!has(self.value) || self.value == '' || !(${EXISTS})`,
      message: 'value of a toleration must be empty with operator Exists; remove value, or set operator Equal',
    },
    {
      rule: `!has(self.value) || self.value == '' || self.value.matches('^${LABEL_NAME}$')`,
      message: 'value of a toleration must be a label value: letters, digits, - _ and . between them; correct it',
    },
    {
      rule: "!has(self.effect) || self.effect in ['', 'NoSchedule', 'PreferNoSchedule', 'NoExecute']",
      message:
        'effect of a toleration must be NoSchedule, PreferNoSchedule or NoExecute; correct it, or remove it for all',
    },
    {
      rule: "!has(self.tolerationSeconds) || (has(self.effect) && self.effect == 'NoExecute')",
      message: 'tolerationSeconds needs effect NoExecute; set the effect, or remove tolerationSeconds',
    },
  ),
);

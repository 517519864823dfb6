import { boolYaml11Tag, defineScalarTag, FAILSAFE_SCHEMA, loadAll, mergeTag, nullCoreTag, YAMLException } from 'js-yaml'

/** The text is no YAML. It never says what stands there: it may be a token. */
export class YamlError extends Error {
  override readonly name = 'YamlError'
  readonly code = 'BadYaml'
}

/** A tag that nobody knows leaves its value what it is. */
const anyTag = defineScalarTag('', { matchByTagPrefix: true, resolve: source => source, identify: () => false })

/**
 * Everything but null and the words for true and false stays text: a token of digits must not lose any, and a name may be
 * `2020-01-01`. As to kubectl, a word in quotes is no flag.
 */
const SCHEMA = FAILSAFE_SCHEMA.withTags(nullCoreTag, boolYaml11Tag, mergeTag, anyTag)

/**
 * Reads the first YAML document of a text; of a doubled key the last value counts.
 * @throws YamlError
 */
export function parseYaml(text: string): unknown {
  try {
    return loadAll(text, { schema: SCHEMA, json: true })[0] ?? null
  } catch (error) {
    const line = error instanceof YAMLException ? (error.mark?.line ?? 0) + 1 : 0
    throw new YamlError(line > 0 ? `line ${line} is no YAML` : 'it is no YAML')
  }
}

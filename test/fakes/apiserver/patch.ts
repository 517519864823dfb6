import { badRequest, unsupportedBody, unsupportedPatch } from './fault.ts'
import { isObject, type Json, type JsonObject } from './json.ts'
import { applyJsonPatch } from './json-patch.ts'
import { applyMergePatch, applyStrategicPatch } from './merge-patch.ts'
import type { Resource } from './resources.ts'

/** A patch as it came in. */
export interface Patch {
  readonly contentType: string
  readonly text: string
}

/** Applies a patch of any kind this server knows; server-side apply is none of them. */
export function applyPatch(resource: Resource, document: JsonObject, patch: Patch): JsonObject {
  const apply = kinds[patch.contentType]
  if (apply === undefined || (resource.custom && patch.contentType.includes('strategic'))) {
    throw resource.custom ? unsupportedBody(customKinds) : unsupportedPatch()
  }
  const patched = apply(document, parse(patch.text), resource)
  if (!isObject(patched)) throw badRequest('the patch leaves no object')
  return patched
}

type Apply = (document: JsonObject, patch: Json, resource: Resource) => Json

const kinds: Readonly<Record<string, Apply>> = {
  'application/json-patch+json': (document, patch) => applyJsonPatch(document, patch),
  'application/merge-patch+json': (document, patch) => applyMergePatch(document, patch),
  'application/strategic-merge-patch+json': (document, patch, resource) => {
    if (!isObject(patch)) throw badRequest('error decoding patch: it is no object')
    return applyStrategicPatch(document, patch, resource.mergeKeys)
  },
}

const customKinds = ['application/json-patch+json', 'application/merge-patch+json', 'application/apply-patch+yaml']

function parse(text: string): Json {
  try {
    return JSON.parse(text)
  } catch {
    throw badRequest('error decoding patch: it is no JSON')
  }
}

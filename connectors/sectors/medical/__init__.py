"""Medical: HL7 FHIR R4 search bundles, one record a resource, its bytes untouched."""

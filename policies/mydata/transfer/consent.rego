# Does the citizen's consent stand right now.
package mydata.transfer

import data.mydata.law
import future.keywords.not

consent_live if {
	input.consent.state == "active"
	input.consent.start <= input.request.time
	input.request.time < input.consent.end
	input.token.consent_version == input.consent.version
}

denial contains {"code": "consent_not_active", "params": {"state": object.get(input.consent, "state", "unknown")}} if {
	not input.consent.state == "active"
}

denial contains {"code": "consent_not_started", "params": {"start": input.consent.start}} if {
	input.request.time < input.consent.start
}

denial contains {"code": "consent_ended", "params": {"end": input.consent.end}} if {
	input.request.time >= input.consent.end
}

denial contains {"code": "consent_version_mismatch", "params": {
	"consent": input.consent.version,
	"token": input.token.consent_version,
}} if {
	input.token.consent_version != input.consent.version
}

# PIPA 22-2: under this age a guardian consents; the gateway has no way to ask one yet.
denial contains {"code": "guardian_required", "params": {"age": limit}} if {
	limit := law.limit("guardian_age", input.request.time)
	input.subject.age < limit
}

subject_ready if input.subject.age >= law.limit("guardian_age", input.request.time)

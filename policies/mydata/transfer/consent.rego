# Does the citizen's consent stand right now.
package mydata.transfer

import future.keywords.not

consent_live if {
	purpose_kept
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

# What is asked for now is what was consented to then; null: the recipient names none anew.
denial contains {"code": "purpose_mismatch", "params": {
	"consent": input.consent.purpose,
	"request": asked_purpose,
}} if {
	not purpose_kept
}

asked_purpose := object.get(input.request, "purpose", null)

purpose_kept if asked_purpose == null

purpose_kept if asked_purpose == input.consent.purpose

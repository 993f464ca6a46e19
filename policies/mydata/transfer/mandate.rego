# For whom the citizen's word is good: minors, guardians (법정대리인) and delegates (대리인).
package mydata.transfer

import data.mydata.law
import future.keywords.not

# Who acts for the citizen; null when the citizen does.
acting := object.get(input.subject, "acting", null)

guardian_age := law.limit("guardian_age", input.request.time)

# PIPA 22-2: under this age a guardian consents.
denial contains {"code": "guardian_required", "params": {"age": guardian_age}} if {
	input.subject.age < guardian_age
	not acting.role == "guardian"
}

denial contains {"code": "mandate_unverified", "params": {"role": acting.role}} if {
	acting != null
	not acting.verified == true
}

denial contains {"code": "mandate_ended", "params": {"end": acting.until}} if input.request.time >= acting.until

denial contains {"code": "mandate_outside_purpose", "params": {"purpose": input.consent.purpose}} if {
	acting.role == "delegate"
	not input.consent.purpose in acting.purposes
}

subject_ready if {
	of_age_or_guarded
	mandate_holds
}

of_age_or_guarded if input.subject.age >= guardian_age

of_age_or_guarded if acting.role == "guardian"

mandate_holds if acting == null

mandate_holds if {
	acting.verified == true
	input.request.time < acting.until
	mandate_covers
}

mandate_covers if acting.role == "guardian"

mandate_covers if {
	acting.role == "delegate"
	input.consent.purpose in acting.purposes
}

# A delegate reaches what is sensitive only after the delegate proved again who asks.
refusal contains refused(item, "step_up_required", {"role": acting.role}) if {
	some item in input.request.items
	not stepped_up(item)
}

stepped_up(_) if acting == null

stepped_up(_) if acting.role == "guardian"

stepped_up(_) if acting.stepped_up == true

stepped_up(item) if count(item.sensitive) == 0

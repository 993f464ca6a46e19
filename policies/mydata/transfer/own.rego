# May citizens have their own data handed to themselves: PIPA 35-2(1). What the request names stands where a
# consent stands, and nobody but the citizen receives.
package mydata.transfer

import data.mydata.law
import future.keywords.not

default own_allow := false

# Every fact is shown to hold, not merely not denied.
own_allow if {
	count(own_denial) == 0
	facts_complete
	subject_ready
	consent_live
	citizen_receives
	own_not_too_eager
	count(own_grantable) > 0
}

# What holds for every question holds here too.
shared := {
	"input_incomplete", "guardian_required", "mandate_unverified", "mandate_ended", "mandate_outside_purpose",
	"consent_not_active", "consent_not_started", "consent_ended", "consent_version_mismatch", "purpose_mismatch",
}

own_denial contains reason if {
	some reason in denial
	reason.code in shared
}

own_denial contains {"code": "not_the_citizen", "params": {}} if not citizen_receives

# Decree 42-8(1)10: the same asked for again and again.
own_denial contains {"code": "asked_too_often", "params": {"times": times}} if {
	times := law.limit("own_requests_a_day", input.request.time)
	object.get(input.request, "asked_in_day", 0) >= times
}

citizen_receives if input.client.id == "self"

own_not_too_eager if object.get(input.request, "asked_in_day", 0) < law.limit("own_requests_a_day", input.request.time)

# Why the whole request is denied. Never empty when it is.
own_reasons := own_denial if {
	count(own_denial) > 0
} else := set() if {
	own_allow
} else := {{"code": "nothing_granted", "params": {}}} if {
	count(own_grantable) == 0
} else := {{"code": "input_incomplete", "params": {"fact": "unknown"}}}

own_codes := sort([coded |
	some reason in own_reasons
	coded := object.union(reason, {"article": law.article(reason.code)})
])

own_granted := sort([grant | own_allow; some grant in own_grantable])

own_withheld := sort([coded |
	some reason in union({own_refusal, own_unproven})
	coded := object.union(reason, {"article": law.article(reason.code)})
])

# METADATA
# title: decision
# description: The answer to a citizen's request; of the same shape as that to a transfer.
own_decision := {
	"allow": own_allow,
	"codes": own_codes,
	"granted": own_granted,
	"withheld": own_withheld,
	"obligations": own_obligations,
}

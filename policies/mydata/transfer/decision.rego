# METADATA
# title: May this transfer happen, what of it, and on which conditions
# schemas:
#   - input: schema.input
package mydata.transfer

import data.mydata.law
import future.keywords.not

default allow := false

# Every fact is shown to hold, not merely not denied.
allow if {
	count(denial) == 0
	facts_complete
	operation_known
	client_ready
	consent_live
	consortium_ready
	subject_ready
	not_too_eager
	count(grantable) > 0
}

# Why the whole transfer is denied. Never empty when it is.
reasons := denial if {
	count(denial) > 0
} else := set() if {
	allow
} else := {{"code": "nothing_granted", "params": {}}} if {
	count(grantable) == 0
} else := {{"code": "input_incomplete", "params": {"fact": "unknown"}}}

codes := sort([coded | some reason in reasons; coded := object.union(reason, {"article": law.article(reason.code)})])

granted := sort([grant | allow; some grant in grantable])

withheld := sort([coded |
	some reason in union({refusal, unproven})
	coded := object.union(reason, {"article": law.article(reason.code)})
])

# METADATA
# title: decision
# description: The one answer a door asks for. Always defined, because each of its parts always is.
# entrypoint: true
decision := own_decision if {
	input.request.operation == "self_download"
} else := {
	"allow": allow,
	"codes": codes,
	"granted": granted,
	"withheld": withheld,
	"obligations": obligations,
}

# Are all facts there, and of the right kind.
package mydata.transfer

import data.mydata.reference
import future.keywords.not

fact["request.time"] if is_number(input.request.time)

fact["request.items"] if is_array(input.request.items)

fact["client"] if {
	is_string(input.client.id)
	is_object(input.client.kinds)
}

fact["consent.start"] if is_number(input.consent.start)

fact["consent.end"] if is_number(input.consent.end)

fact["consent.version"] if is_number(input.consent.version)

fact["consent.retention"] if is_number(input.consent.retention_days)

fact["consent.purpose"] if is_string(input.consent.purpose)

fact["consent.items"] if is_array(input.consent.items)

fact["token"] if is_number(input.token.consent_version)

fact["operator"] if is_string(input.operator.role)

fact["subject"] if is_number(input.subject.age)

fact["reference"] if is_string(reference.version)

fact["items"] if {
	every item in input.request.items {
		is_array(item.fields)
		is_array(item.sensitive)
		is_number(item.history_from)
		is_number(item.prior.count)
	}
	every item in input.consent.items {
		is_array(item.fields)
		is_string(item.frequency)
		is_number(item.history_from)
	}
}

fact["consortium"] if input.consortium == null

fact["consortium"] if {
	is_number(input.consortium.start)
	is_number(input.consortium.end)
	is_array(input.consortium.holders)
	is_array(input.consortium.recipients)
	is_array(input.consortium.sectors)
	is_array(input.consortium.purposes)
}

fact["prior"] if {
	every item in input.request.items {
		prior_consistent(item.prior)
	}
}

prior_consistent(prior) if {
	prior.count == 0
	prior.last == null
}

prior_consistent(prior) if {
	prior.count > 0
	is_number(prior.last)
}

facts_needed := {
	"request.time",
	"request.items",
	"client",
	"consent.start",
	"consent.end",
	"consent.version",
	"consent.retention",
	"consent.purpose",
	"consent.items",
	"token",
	"operator",
	"subject",
	"reference",
	"items",
	"consortium",
	"prior",
}

denial contains {"code": "input_incomplete", "params": {"fact": name}} if {
	some name in facts_needed
	not fact[name]
}

denial contains {"code": "operation_unknown", "params": {}} if not operation_known

facts_complete if {
	every name in facts_needed {
		fact[name]
	}
}

operation_known if input.request.operation == "transfer"

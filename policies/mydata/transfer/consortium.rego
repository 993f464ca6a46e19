# The contract of holder and service company.
package mydata.transfer

import future.keywords.not

consortium_ready if {
	input.client.id in input.consortium.recipients
	input.consent.purpose in input.consortium.purposes
	input.consortium.start <= input.request.time
	input.request.time < input.consortium.end
}

denial contains {"code": "no_consortium", "params": {}} if not is_object(input.consortium)

denial contains {"code": "recipient_outside_consortium", "params": {"consortium": input.consortium.id}} if {
	not input.client.id in input.consortium.recipients
}

denial contains {"code": "purpose_outside_consortium", "params": {
	"consortium": input.consortium.id,
	"purpose": input.consent.purpose,
}} if {
	not input.consent.purpose in input.consortium.purposes
}

denial contains {"code": "consortium_not_in_force", "params": {
	"consortium": input.consortium.id,
	"end": input.consortium.end,
	"start": input.consortium.start,
}} if {
	not consortium_in_force
}

consortium_in_force if {
	input.consortium.start <= input.request.time
	input.request.time < input.consortium.end
}

in_consortium(item) if {
	item.holder in input.consortium.holders
	item.sector in input.consortium.sectors
}

refusal contains refused(item, "outside_consortium", {"holder": item.holder, "sector": item.sector}) if {
	some item in input.request.items
	not in_consortium(item)
}

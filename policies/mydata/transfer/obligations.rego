# On which conditions.
package mydata.transfer

import future.keywords.not

duty contains {"type": "pseudonymise"}

duty contains {"type": "suppress_identifiers"}

duty contains {"type": "retain_until", "until": input.request.time + (life_days * 86400)}

duty contains {"type": "stamp", "value": "sandbox"} if input.operator.role == "sandbox"

# Decree 42-8(2): what was not sent, and why, is told to the citizen without delay.
duty contains {"type": "notify", "to": "citizen", "about": "withheld"} if count(withheld) > 0

duty contains {"type": "notify", "to": "citizen", "about": "sensitive"} if {
	some pair in granted_as
	some field in pair.item.sensitive
	field in pair.grant.fields
}

# What leaves in a coarser form than the catalogue's: a value masked, a moment cut to its day or month.
duty contains {"type": "mask", "dataset": row.dataset, "field": row.field} if {
	some row in treated
	row.how == "mask"
}

duty contains {"type": "coarsen", "dataset": row.dataset, "field": row.field, "to": row.to} if {
	some row in treated
	row.how == "coarsen"
}

treated contains row if {
	some pair in granted_as
	some row in treatments(pair.item)
	row.field in pair.grant.fields
}

obligations := sort([condition | allow; some condition in duty])

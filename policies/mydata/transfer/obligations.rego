# On which conditions.
package mydata.transfer

import data.mydata.law
import future.keywords.not

duty contains {"type": "pseudonymise"}

duty contains {"type": "suppress_identifiers"}

duty contains {"type": "retain_until", "until": until} if {
	days := min([input.consent.retention_days, law.limit("retention_days", input.request.time)])
	until := input.request.time + (days * 86400)
}

duty contains {"type": "stamp", "value": "sandbox"} if input.operator.role == "sandbox"

# Decree 42-8(2): what was not sent, and why, is told to the citizen without delay.
duty contains {"type": "notify", "to": "citizen", "about": "withheld"} if count(withheld) > 0

duty contains {"type": "notify", "to": "citizen", "about": "sensitive"} if {
	some grant in grantable
	some item in input.request.items
	item.holder == grant.holder
	item.dataset == grant.dataset
	some field in item.sensitive
	field in grant.fields
}

obligations := sort([condition | allow; some condition in duty])

# Fair use: how much of it, however often it was consented to; and how long it may live.
package mydata.transfer

import data.mydata.law
import data.mydata.reference
import future.keywords.not

# The rows for a purpose and a sector: of several limits the strictest counts.
fair(sector) := [row |
	some row in reference.fair_use
	row.purpose in {"*", input.consent.purpose}
	row.sector in {"*", sector}
	row.effective_from <= input.request.time
]

recent(item) := object.get(item.prior, "recent", 0)

most(item) := min([row.times | some row in fair(item.sector)])

refusal contains refused(item, "used_too_often", {"days": 30, "times": times}) if {
	some item in input.request.items
	times := most(item)
	recent(item) >= times
}

fairly_used(item) if recent(item) < most(item)

# Requests of one recipient for one consent in a day, whatever came of them.
denial contains {"code": "asked_too_often", "params": {"times": times}} if {
	times := law.limit("requests_a_day", input.request.time)
	object.get(input.request, "asked_in_day", 0) >= times
}

not_too_eager if object.get(input.request, "asked_in_day", 0) < law.limit("requests_a_day", input.request.time)

# The shortest life anything granted may have with its recipient.
life_days := min({input.consent.retention_days, law.limit("retention_days", input.request.time)} | lives)

lives contains row.retention_days if {
	some grant in grantable
	some item in input.request.items
	item.holder == grant.holder
	item.dataset == grant.dataset
	some row in fair(item.sector)
	is_number(row.retention_days)
}

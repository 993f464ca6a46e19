# Fair use: how long, how far back, how much of it, however often it was consented to; and how long it may live.
package mydata.transfer

import data.mydata.law
import data.mydata.reference
import future.keywords.not

# The rows for a purpose, a fetch and the data of an item: of several limits the strictest counts, one by one.
# A rule and no function, by the item's place: engines evaluate a function anew at each call.
fair[place] := rows if {
	some place, item in input.request.items
	fetched := fetches(item)
	rows := [row |
		some row in reference.fair_use
		row.purpose in {"*", input.consent.purpose}
		row.data in {"*", item.sector, item.dataset}
		row.effective_from <= input.request.time
		row.fetch in fetched
	]
}

fetches(item) := {"*"} | {fetch_of(frequency) | some frequency in frequencies(item)}

fetch_of("once") := "once"

fetch_of(frequency) := "periodic" if frequency != "once"

# How often the consent lets it be sent, never how often it is asked for.
frequencies(item) := {consented.frequency |
	some consented in input.consent.items
	consented.holder == item.holder
	consented.dataset == item.dataset
}

# How often it was sent in the days up to now.
sent_within(item, 1) := object.get(item.prior, "day", 0)

sent_within(item, 30) := object.get(item.prior, "recent", 0)

# Counted, never a rate: 45 in 30 days may be 45 in one of them.
windows[place] := {[window.days, window.times] | some row in rows; some window in row.windows} if {
	some place, rows in fair
}

refusal contains refused(item, "used_too_often", {"days": window[0], "times": window[1]}) if {
	some place, item in input.request.items
	some window in windows[place]
	sent_within(item, window[0]) >= window[1]
}

refusal contains refused(item, "fair_use_exceeded", {"attribute": attribute, "days": limit}) if {
	some place, item in input.request.items
	some attribute, limit in widest[place]
	spans(item)[attribute] > limit * 86400
}

fairly_used(place, item) if {
	allowed := windows[place]
	count(allowed) > 0
	every window in allowed {
		sent_within(item, window[0]) < window[1]
	}
}

# Days from the first to the last of the consent, both named; days back from its start; days back from today.
spans(item) := {
	"expiry": input.consent.end - (input.consent.start + 86400),
	"range": input.consent.start - item.history_from,
	"request": (input.request.time - item.history_from) - 86399,
}

# The days each may have; without a limit it is not named.
widest[place] := limits if {
	some place, rows in fair
	limits := {attribute: limit |
		some attribute, name in {"expiry": "expiry_days", "range": "range_days", "request": "request_days"}
		limit := min([row[name] | some row in rows; is_number(row[name])])
	}
}

fairly_wide(place, item) if {
	span := spans(item)
	every attribute, limit in widest[place] {
		span[attribute] <= limit * 86400
	}
}

# Requests of one recipient for one consent in a day, whatever came of them.
denial contains {"code": "asked_too_often", "params": {"times": times}} if {
	times := law.limit("requests_a_day", input.request.time)
	object.get(input.request, "asked_in_day", 0) >= times
}

not_too_eager if object.get(input.request, "asked_in_day", 0) < law.limit("requests_a_day", input.request.time)

# The shortest life anything granted may have with its recipient.
life_days := min({input.consent.retention_days, law.limit("retention_days", input.request.time)} | lives)

lives contains row.retention_days if {
	some pair in granted_as
	some row in fair[pair.place]
	is_number(row.retention_days)
}

# What was asked, item by item, next to what was consented.
package mydata.transfer

import data.mydata.law
import future.keywords.not

# Each asked item with the consented items of the same holder and dataset: exactly one, or it is refused.
pairs := [{"place": place, "item": item, "consented": consented} |
	some place, item in input.request.items
	consented := [c | some c in input.consent.items; c.holder == item.holder; c.dataset == item.dataset]
]

# The law's row in force now, for every sector asked of.
legal[sector] := row if {
	some item in input.request.items
	sector := item.sector
	row := law.basis(sector, input.request.time)
}

refused(item, code, params) := {"holder": item.holder, "dataset": item.dataset, "code": code, "params": params}

refusal contains refused(pair.item, "not_in_consent", {}) if {
	some pair in pairs
	count(pair.consented) == 0
}

refusal contains refused(pair.item, "consent_ambiguous", {}) if {
	some pair in pairs
	count(pair.consented) > 1
}

refusal contains refused(item, "duplicate_item", {}) if {
	some place, item in input.request.items
	some other, twin in input.request.items
	place < other
	twin.holder == item.holder
	twin.dataset == item.dataset
}

refusal contains refused(item, "sector_mismatch", {"sector": item.sector}) if {
	some item in input.request.items
	not sector_matches(item)
}

refusal contains refused(pair.item, "field_not_consented", {"fields": extra}) if {
	some pair in pairs
	count(pair.consented) == 1
	extra := sort({field | some field in pair.item.fields; not field in pair.consented[0].fields})
	count(extra) > 0
}

sector_matches(item) if startswith(item.dataset, concat("", [item.sector, "."]))

# A field without consent, or dropped for this recipient, is left out; every other reason keeps the item.
blocked contains [reason.holder, reason.dataset] if {
	some reason in refusal
	not reason.code in {"field_not_consented", "field_dropped"}
}

# METADATA
# description: Items that may leave, each with the fields and the legal basis it leaves on.
grantable contains grant if {
	some pair in pairs
	item := pair.item
	count(pair.consented) == 1
	consented := pair.consented[0]
	not [item.holder, item.dataset] in blocked
	sector_matches(item)
	in_consortium(item)
	recipient_entitled(item)
	frequency_allowed(item, consented)
	history_allowed(item, consented)
	fairly_used(pair.place, item)
	fairly_wide(pair.place, item)
	stepped_up(item)
	old_enough(item)
	gone := dropped(item)
	fields := sort({field | some field in item.fields; field in consented.fields; not field in gone})
	count(fields) > 0
	row := legal[item.sector]
	grant := {
		"holder": item.holder,
		"dataset": item.dataset,
		"fields": fields,
		"basis": row.basis,
		"article": row.article,
	}
}

# Each grant beside what was asked: the sector, what is sensitive, how often it was sent.
granted_as contains {"grant": grant, "item": item, "place": place} if {
	some grant in grantable
	some place, item in input.request.items
	item.holder == grant.holder
	item.dataset == grant.dataset
}

settled contains [grant.holder, grant.dataset] if some grant in grantable

settled contains [reason.holder, reason.dataset] if some reason in refusal

# An item that is neither granted nor refused by name is still kept back, and says so.
unproven contains refused(item, "not_proven", {}) if {
	some item in input.request.items
	not [item.holder, item.dataset] in settled
}

# What a citizen asks for themself, item by item, and on which basis a holder hands it over.
package mydata.transfer

import data.mydata.law
import data.mydata.reference
import future.keywords.not

# The duty in force; where there is none yet, what a holder gives of its own accord (자율전송정보).
own_basis(sector) := {"basis": "portability", "article": row.article} if {
	row := law.own(sector, input.request.time)
} else := {"basis": "consent", "article": reference.voluntary.article} if {
	input.operator.role in reference.voluntary.operators
	sector in object.keys(reference.sectors)
}

# Shared with transfers: what is named twice, or by a sector that is not its own, or not in the request.
shared_refusals := {"not_in_consent", "consent_ambiguous", "duplicate_item", "sector_mismatch", "field_not_consented"}

own_refusal contains refused(item, "no_download_duty", {"sector": item.sector}) if {
	some item in input.request.items
	not own_basis(item.sector)
}

own_refusal contains reason if {
	some reason in refusal
	reason.code in shared_refusals
}

# A request to oneself is answered once; another is asked anew.
own_refusal contains refused(item, "frequency_not_consented", {"frequency": "once"}) if {
	some item in input.request.items
	item.frequency != "once"
}

own_refusal contains refused(item, "history_too_old", {"from": earliest}) if {
	some item in input.request.items
	earliest := law.earliest(item.sector, input.consent.start)
	item.history_from < earliest
}

# A field the request does not name is left out; every other reason keeps the item.
own_blocked contains [reason.holder, reason.dataset] if {
	some reason in own_refusal
	reason.code != "field_not_consented"
}

# METADATA
# description: Items that may be handed over, each with the fields and the legal basis.
own_grantable contains grant if {
	some pair in pairs
	item := pair.item
	count(pair.consented) == 1
	not [item.holder, item.dataset] in own_blocked
	sector_matches(item)
	item.frequency == "once"
	item.history_from >= law.earliest(item.sector, input.consent.start)
	fields := sort({field | some field in item.fields; field in pair.consented[0].fields})
	count(fields) > 0
	row := own_basis(item.sector)
	grant := object.union({"holder": item.holder, "dataset": item.dataset, "fields": fields}, row)
}

own_settled contains [grant.holder, grant.dataset] if some grant in own_grantable

own_settled contains [reason.holder, reason.dataset] if some reason in own_refusal

# An item that is neither granted nor refused by name is still kept back, and says so.
own_unproven contains refused(item, "not_proven", {}) if {
	some item in input.request.items
	not [item.holder, item.dataset] in own_settled
}

# The file is kept for as long as the request says, and no longer.
own_duty contains {"type": "retain_until", "until": input.request.time + (input.consent.retention_days * 86400)}

own_duty contains {"type": "stamp", "value": "sandbox"} if input.operator.role == "sandbox"

# Decree 42-8(2): what was not handed over, and why, is told to the citizen without delay.
own_duty contains {"type": "notify", "to": "citizen", "about": "withheld"} if count(own_withheld) > 0

own_obligations := sort([condition | own_allow; some condition in own_duty])

# Who would receive.
package mydata.transfer

import data.mydata.reference
import future.keywords.not

denial contains {"code": "client_suspended", "params": {}} if not input.client.status == "active"

# PIPA 28-8: data leaves the country only with a separate consent that names where to.
denial contains {"code": "cross_border", "params": {"country": object.get(input.client, "country", "unknown")}} if {
	not country_allowed
}

country_allowed if input.client.country == reference.home_country

country_allowed if input.client.country in object.get(input.consent, "countries", [])

client_ready if {
	input.client.status == "active"
	country_allowed
}

# What the recipient is in law for a sector; a fact of the registry, never a claim of the client.
kind(sector) := object.get(input.client.kinds, sector, "none")

refusal contains refused(item, "no_legal_basis", {"sector": item.sector}) if {
	some item in input.request.items
	not legal[item.sector]
}

# Health data goes to special institutions (특수전문기관) only.
refusal contains refused(item, "medical_recipient", {"kind": kind(item.sector)}) if {
	some item in input.request.items
	item.sector == "medical"
	row := legal[item.sector]
	not kind(item.sector) in row.recipients
}

refusal contains refused(item, "recipient_not_entitled", {"kind": kind(item.sector), "sector": item.sector}) if {
	some item in input.request.items
	item.sector != "medical"
	row := legal[item.sector]
	not kind(item.sector) in row.recipients
}

# A statutory transfer to a third party runs through a designated intermediary (중계전문기관).
refusal contains refused(item, "intermediary_required", {"sector": item.sector}) if {
	some item in input.request.items
	row := legal[item.sector]
	not input.operator.role in row.operators
}

refusal contains refused(item, "contract_missing", {"sector": item.sector}) if {
	some item in input.request.items
	row := legal[item.sector]
	not needs_met(row)
}

needs_met(row) if not "contract" in row.needs

needs_met(row) if {
	"contract" in row.needs
	is_string(input.consortium.contract)
	input.consortium.contract != ""
}

recipient_entitled(item) if {
	row := legal[item.sector]
	kind(item.sector) in row.recipients
	input.operator.role in row.operators
	needs_met(row)
}

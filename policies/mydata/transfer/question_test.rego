package mydata.transfer_test

import data.mydata.transfer
import future.keywords.not

now := 1795305600

# A question everything of which is granted. The tests patch it.
question := {
	"request": {
		"id": "transfer-1",
		"time": now,
		"operation": "transfer",
		"items": [{
			"holder": "hanbit-bank",
			"sector": "finance",
			"dataset": "finance.deposit-transactions",
			"fields": ["trans_amt", "trans_memo"],
			"sensitive": ["trans_memo"],
			"frequency": "P7D",
			"interval_days": 7,
			"history_from": 1780000000,
			"prior": {"count": 0, "last": null},
		}],
	},
	"client": {
		"id": "deundeun-budget",
		"status": "active",
		"kinds": {"finance": "licensed_operator"},
		"country": "KR",
	},
	"consent": {
		"id": "consent-1",
		"version": 1,
		"state": "active",
		"start": now - 86400,
		"end": now + 8640000,
		"purpose": "household-finance",
		"retention_days": 90,
		"items": [{
			"holder": "hanbit-bank",
			"dataset": "finance.deposit-transactions",
			"fields": ["trans_amt", "trans_memo"],
			"frequency": "P7D",
			"history_from": 1780000000,
		}],
	},
	"token": {"consent_version": 1},
	"consortium": {
		"id": "consortium-2026-01",
		"contract": "contract-2026-01",
		"holders": ["hanbit-bank"],
		"recipients": ["deundeun-budget"],
		"sectors": ["finance"],
		"purposes": ["household-finance"],
		"start": now - 86400,
		"end": now + 8640000,
	},
	"operator": {"role": "sandbox"},
	"subject": {"age": 34},
}

decided(patch) := answer if {
	document := json.patch(question, patch)
	answer := transfer.decision with input as document
}

codes(patch) := {reason.code | some reason in decided(patch).codes}

kept(patch) := {reason.code | some reason in decided(patch).withheld}

replaced(path, value) := [{"op": "replace", "path": path, "value": value}]

removed(path) := [{"op": "remove", "path": path}]

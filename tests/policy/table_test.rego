package table_test

import data.mydata.transfer
import future.keywords.not

# The same decision table pytest reads, on OPA itself.
test_every_row if {
	every row in data.table.rows {
		answer := transfer.decision with input as json.patch(data.table.base, row.patch)
		answer.allow == row.want.allow
		{reason.code | some reason in answer.codes} == {code | some code in object.get(row.want, "codes", [])}
	}
}

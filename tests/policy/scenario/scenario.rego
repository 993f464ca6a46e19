# The eight decisions of the AuthZEN 1.0 certification scenario.
package scenario

import future.keywords.not

default allow := false

allow if {
	input.subject.id in {"alice", "bob"}
	input.action.name == "read"
	input.resource.id in {"record-1", "record-2"}
}

allow if {
	input.subject.id == "alice"
	input.action.name == "write"
	input.resource.id == "record-1"
	not object.get(input.resource.properties, "status", "active") == "archived"
}

allow if {
	input.action.name == "write"
	object.get(input.subject.properties, "role", "") == "admin"
	input.resource.properties.status == "archived"
}

allow if {
	input.subject.id == "alice"
	input.action.name == "delete"
	input.action.properties.soft == true
}

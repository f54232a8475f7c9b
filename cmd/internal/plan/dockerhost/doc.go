// Package dockerhost says what Docker would have put on a machine for a lab: bridges, pairs of interfaces, rules. It is pure; no
// Docker and no machine is asked.
//
//	plan.Plan --> Firewall  the networks' and hosts' rules, and a dockerd that takes part from then on: a world begins with it
//	          --> Describe  all of it with the published ports, as uswitch compare docker prints it
//
// What a Docker host would draw by lot is the same every time here: the digits behind br- and veth are hashes of what they
// name, and a host has the lab's MAC address. A network that the lab file calls by the name of a device is called so, as if
// the file had com.docker.network.bridge.name.
package dockerhost

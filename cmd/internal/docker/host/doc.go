// Package host says what Docker would have put on a machine for a lab: bridges, pairs of cards, rules. It is pure; no
// Docker and no machine is asked.
//
//	lab.Plan --> Firewall  the networks' and hosts' rules, and a dockerd that takes part from then on: a world begins with it
//	         --> Describe  all of it with the published ports, as uswitch compare docker prints it
//
// What a Docker host would draw by lot is the same every time here: a bridge has the name of its network in the lab, not
// br- and the beginning of a random id; a host has the lab's MAC address; and the near end of its cable is called by a
// hash of the lab, the host and the card.
package host

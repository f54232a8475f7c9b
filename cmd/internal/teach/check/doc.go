// Package check finds out whether what a lab file says must hold does hold: x-uswitch.checks.
//
//	plan.Check ---> Run ---> Outcome: holds, fails and why, or unknown: it could not be found out
//	                 |
//	             Subject: a lab that is up, be it in memory (Live)
//
// Of reachability the switch is asked first, by the control socket, and says of what fails also why, and what would fix it. Then
// a real packet is sent from inside the host that asks, and that decides; with NoSend none is, and the prediction decides.
// Commands do run, inside their host.
//
// Nobody here brings a lab up: that is a function (Bring) that the caller hands in.
package check

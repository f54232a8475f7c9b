// Package check finds out whether what a lab file says must hold does hold: x-uswitch.checks.
//
//	lab.Check ---> Run ---> Outcome: holds, fails and why, or unknown: it could not be found out
//	                |
//	            Subject: a lab that is up, be it in memory (Live)
//
// Reachability is asked of the switch (package ask): nothing is sent, so that checking a lab does not change it. Where a
// check fails, the switch also says why, and what would fix it. Commands do run, inside their host.
package check

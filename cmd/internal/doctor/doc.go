// Package doctor says why a lab on real network interfaces cannot be had in a place, and what one thing would help there.
//
// Whether it can be had nobody decides here: that is tried, by the code that labs are brought up with (package session). What is
// here reads what that has met - an errno, and the settings of the place that lead to it - and makes a row of each trial.
//
//	session.Diagnose   tries, in processes that end with it -> Findings
//	Here               the place: a container, a chroot, gVisor ...
//	Place.Report       a row for each thing, the remedies of this place, and which labs can be had
//	Place.Explain      the same about what has kept one lab from coming up
package doctor

// Package doctor says why a lab on real network cards cannot be had in a place, and what one thing would help there.
//
// Whether it can be had nobody decides here: that is tried, by the code that labs are brought up with (package session). What is
// here reads what that has met: an errno, and the settings of the place that lead to it.
package doctor

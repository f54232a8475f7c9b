// Package teach is the wing of those who teach and test with a lab:
//
//	            lesson           a Markdown file, played step by step
//	           /      \
//	breakage -+        |         one thing broken, for practice
//	    |     |        |
//	    |     v        v
//	    |   check     state      what must hold, and whether it does; what a person has reached
//	    |     |
//	    +-----+--> control/api --> a lab that is up
//
// None of them brings a lab up: cmd/uswitch hands them a function that does (check.Bring, which is session.Beside), so that a
// lesson can be played against whatever answers on a control socket.
package teach

// Package breakage breaks one thing in a lab that is up, for practice, and knows how to fix it again.
//
//	what is answered now ---> checks         (Symptoms)
//	what could break     ---> faults         (Faults: rules, routes, interfaces, addresses ... as commands and their opposites)
//	a seed               ---> one of them    (Break: the first whose damage some check notices)
//
// The same seed breaks the same thing in the same lab. What is broken is kept in this user's state, with the checks, until
// they all hold again. Everything is done by commands that a person could type: in the lab's own hosts, or to its gateway.
// Namespaces that the lab has not made are left alone.
package breakage

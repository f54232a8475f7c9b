// Package names is the name server of a lab: who on a network is called what, for the hosts that share the network with it.
// What is not the lab's it passes on, as Docker's name server does.
//
//	plan.Plan --Of--> Records --Set--> zone: an immutable picture, for questions at any moment
//
//	UDP: nat.Gateway --Deliver--> Server.answer --Originate--> nat.Gateway
//	TCP: net.Listener --Serve---> Server.answer
//	                                 |
//	                   what is not the lab's: Forwarder --Upstream--> the resolvers outside
//
// A host finds others on the networks that they share, unless that is the default network bridge, which has no names. The
// asker's address decides; a question from outside the lab is refused. Beyond the lab a host gets answers only if one of its
// networks leads there: for hosts on internal networks nothing is asked and no socket is opened.
//
// Questions about the lab are answered at once, on the caller's goroutine, from bytes alone: a simulator can run that part in
// virtual time. What has to wait for somebody outside waits on goroutines whose number is bounded.
package names

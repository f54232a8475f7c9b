// Package firewall plays dockerd at the firewall: networks, endpoints and published ports in, Docker's iptables commands out.
//
//	fw, err := firewall.New(rule.IPv4, firewall.Daemon{Dialect: firewall.Classic, UserlandProxy: true, UserChain: true, ForwardDrop: true})
//	lines, err := fw.Start(tables.Snapshot())           // the chains
//	lines, err = fw.AddNetwork(tables.Snapshot(), docker0)
//	lines, err = fw.AddEndpoint(tables.Snapshot(), "docker0", addr)
//	lines, err = fw.AddPorts(tables.Snapshot(), "docker0", web)
//	err = tables.Apply(lines)                           // after each of them
//
// There is no template of a finished ruleset anywhere. A [Firewall] repeats what dockerd does - put this rule at the head
// of that chain (-I), that one at its end (-A) - in dockerd's order, so that several networks, and changes while all of it
// is in use, come out as they do there:
//
//	packet -> raw PREROUTING     straight to a container's address, past its ports?      firewall.go
//	          nat PREROUTING  -> DOCKER          which published port is it?             port.go
//	          filter FORWARD  -> DOCKER-USER     what the administrator says
//	                          -> DOCKER-FORWARD -> DOCKER-CT                 answers     network.go
//	                                            -> DOCKER-ISOLATION-STAGE-1  between networks (Classic)   network.go
//	                                               or DOCKER-INTERNAL        (Docker 29)                  network.go
//	                                            -> DOCKER-BRIDGE -> DOCKER   open ports, all else dropped
//	          nat POSTROUTING                    which address does it leave with?       network.go
//
// Like dockerd, which asks iptables -C before each change, a Firewall looks first: every method takes the rules of this
// moment and returns only the commands that are still needed. So a rule that somebody has removed by hand is no obstacle to
// removing its network, and what was flushed comes back with Start. The commands are written as iptables -S prints the
// rules.
//
// The tests compare with the rules of the real dockerd 28.5.2 and 29, line by line. Other facts about their order are from
// moby's daemon/libnetwork/drivers/bridge/internal/iptabler.
package firewall

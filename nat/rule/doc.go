// Package rule is iptables: tables of chains of rules that are typed, stored, printed and obeyed as in Linux.
//
//	iptables -t nat -A POSTROUTING -s 11.11.11.0/24 -j MASQUERADE
//	   |                                                             the gateway's data path
//	   v                                                                 |
//	Tables.Exec: parse -> a draft -> validate -> publish --> Ruleset <---+ Ruleset.Evaluate
//	             (parse.go) (edit.go) (validate.go) (one atomic pointer)      (eval.go)
//
// A Ruleset never changes once it is published; an edit makes the next one and swaps a pointer, and whatever cannot be
// applied as a whole is not applied at all. Counters are shared between a Ruleset and its successors, so nothing is lost
// when a rule is added beside those that count.
//
// What is understood is understood as iptables v1.8.9 (nf_tables), Debian's default, understands it, and printed in its
// very bytes; the tests compare with the real one. What is not understood is refused by name, never ignored. Where ours
// is different on purpose:
//
//   - A loop of chains is refused when its last jump is added; the real one waits until the loop is reachable.
//   - `! -p tcp` never satisfies a match that needs -p tcp (as in legacy iptables), and the never matching
//     `! --dport 0:65535` keeps its text.
//   - Two `-m tcp` in one rule stay two (as in legacy iptables).
//   - A range of ICMP codes is printed whole (8/0:3); the real -S prints its first (8/0), which is another rule.
//   - Addresses are numbers: no name is ever looked up.
//   - iptables-restore is all or nothing for the whole input, not for each table.
//   - Interface names that the kernel refuses (a blank, a slash) are refused here as well, and so are quotes in names.
//
// Legacy iptables prints almost every rule and listing in the same bytes. It saves the tables in another order, has other
// words for what the kernel refuses, keeps `! --dport 0:1023` as it was typed, and takes `! -s 0.0.0.0/0`.
package rule

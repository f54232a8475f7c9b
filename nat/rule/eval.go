package rule

import "uswitch/switch/trace"

// maxDepth is how deep chains may call each other: the kernel's NFT_JUMP_STACK_SIZE. Edits that go deeper are refused.
const maxDepth = 16

// action is what a rule does to a packet that it matches.
type action uint8

const (
	doCount  action = iota // count only
	doCall                 // -j to a user's chain
	doGoto                 // -g to a user's chain
	doReturn               // RETURN
	doMark                 // MARK
	doMSS                  // TCPMSS
	doLog                  // LOG
	doDecide               // everything that ends the evaluation
)

// action returns what the rule does.
func (s *spec) action() action {
	switch t := s.target.(type) {
	case nil:
		switch {
		case s.jump == "":
			return doCount
		case s.isGoto:
			return doGoto
		}
		return doCall
	case *setMark:
		return doMark
	case *setMSS:
		return doMSS
	case *logTarget:
		return doLog
	case *standard:
		if t.verdict == "RETURN" {
			return doReturn
		}
	}
	return doDecide
}

// Evaluate takes a packet through one table at one hook and returns what became of it: the first rule that matches and
// decides, or the policy. It counts, takes tokens of limits, and changes p.Mark and p.MSS; it allocates nothing, takes no lock and
// may be called from many goroutines. A table that is not called from the hook accepts.
//
// Which packets consult the nat table at all is the gateway's to know: the first of each connection.
func (s *Ruleset) Evaluate(t Table, hook trace.Hook, p *Packet) Decision {
	if t >= tableEnd || hook >= numHooks || s.hooks[t][hook] == nil {
		return Decision{Verdict: Accept}
	}
	w := walk{base: s.hooks[t][hook]}
	w.run(p)
	return w.Decision
}

// Pass lets a packet of that length through a table that has nothing to ask at the hook: no rule, and the policy ACCEPT. It
// counts the packet, and returns false, without counting it, where Evaluate has to be asked.
func (s *Ruleset) Pass(t Table, hook trace.Hook, length int) bool {
	base := s.hooks[t][hook]
	if base == nil {
		return true
	}
	if len(base.rules) > 0 || base.policy.Verdict != Accept {
		return false
	}
	base.count.add(length)
	return true
}

// walk is one evaluation: where it is, where it returns to, and what came out.
type walk struct {
	Decision
	base  *chain
	stack [maxDepth]position
	depth int

	logged   [maxLogged]*Rule
	logCount int
}

// position is a rule in a chain.
type position struct {
	chain *chain
	rule  int
}

// run follows the rules to the end.
func (w *walk) run(p *Packet) {
	at := position{chain: w.base}
	for {
		if at.rule >= len(at.chain.rules) {
			if w.depth == 0 {
				w.base.count.add(p.Length)
				w.finish(&w.base.policy)
				return
			}
			w.depth--
			at = w.stack[w.depth]
			continue
		}
		here := at
		at.rule++
		r := here.chain.rules[here.rule]
		if !r.applies(p) {
			continue
		}
		r.count.add(p.Length)
		switch r.action {
		case doDecide:
			w.finish(&r.decision)
			return
		case doCall:
			w.stack[w.depth] = at
			w.depth++
			at = position{chain: here.chain.calls[here.rule]}
		case doGoto:
			at = position{chain: here.chain.calls[here.rule]}
		case doReturn:
			at.rule = len(at.chain.rules)
		case doMark:
			p.Mark = r.target.(*setMark).apply(p.Mark)
		case doMSS:
			r.target.(*setMSS).apply(p, r)
		case doLog:
			if w.logCount < maxLogged {
				w.logged[w.logCount] = r
			}
			w.logCount++
		}
	}
}

// finish takes over a decision that was made when the rule was.
func (w *walk) finish(d *Decision) {
	w.Decision = *d
	w.Logged, w.LogCount = w.logged, w.logCount
}

// applies reports whether a packet meets all conditions of the rule, in iptables' order: a limit is asked last or where it
// stands, and takes its token only if everything before it holds.
func (s *spec) applies(p *Packet) bool {
	if !s.src.contains(p.Tuple.SrcIP) || !s.dst.contains(p.Tuple.DstIP) ||
		!s.in.matches(p.InIface) || !s.out.matches(p.OutIface) ||
		!s.proto.matches(p.Tuple.Proto) || !s.fragment.matches(p.Fragment) {
		return false
	}
	for _, m := range s.matches {
		if !holds(m, p) {
			return false
		}
	}
	return true
}

// Verdict is what a table says of a packet. The zero value is invalid.
type Verdict uint8

// The verdicts. Those from SNAT on translate; only the nat table has them.
const (
	Accept Verdict = iota + 1
	Drop
	Refuse // drop, and tell the sender: Decision.RejectWith
	SNAT
	DNAT
	Masquerade // SNAT to the address of the interface that the packet leaves by
	Redirect   // DNAT to the address of the interface that the packet came by; to 127.0.0.1 in OUTPUT
)

// maxLogged is how many LOG rules a Decision remembers.
const maxLogged = 4

// Decision is the outcome of one table at one hook. Its strings belong to the Ruleset and may be kept.
type Decision struct {
	Verdict    Verdict
	Rule       *Rule  // the rule that decided; nil where the policy did
	Text       string // "-A FORWARD -s 11.11.11.0/24 -j ACCEPT", or "-P FORWARD DROP"
	Chain      string // where Text stands: a built-in chain or a user's
	Target     string // "ACCEPT", "MASQUERADE"
	NAT        Range  // what SNAT, DNAT, Masquerade and Redirect may choose from
	RejectWith Reject // of Refuse

	Logged   [maxLogged]*Rule // the first LOG rules that matched on the way
	LogCount int              // how many matched; may be more than Logged holds
}

// Reason returns why a packet was dropped, or trace.NoReason if it was not.
func (d *Decision) Reason() trace.Reason {
	switch {
	case d.Verdict == Drop && d.Rule == nil:
		return trace.PolicyDrop
	case d.Verdict == Drop:
		return trace.RuleDrop
	case d.Verdict == Refuse:
		return trace.RuleReject
	}
	return trace.NoReason
}

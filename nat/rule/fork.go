package rule

import "slices"

// Fork returns tables with the same rules, which count on from the same numbers and share nothing with t: what packets and
// edits do to either ones the others never feel. Limits are as far used up, and lists of -m recent as full, as they are in t.
func (t *Tables) Fork() *Tables {
	f := &Tables{family: t.family}
	t.edit.Lock()
	now, lists := t.Snapshot(), t.lists
	t.edit.Unlock()
	f.lists = lists
	draft := now.clone()
	for _, table := range allTables() {
		for _, c := range draft.tables[table] {
			c.count = c.count.fork()
			for i, r := range c.rules {
				c.rules[i] = r.fork()
			}
		}
	}
	draft.forkRecent()
	f.publish(draft)
	return f
}

// fork returns the same rule with a counter and limits of its own.
func (r *Rule) fork() *Rule {
	twin := *r
	twin.count = r.count.fork()
	twin.matches = slices.Clone(r.matches)
	for i, m := range twin.matches {
		if m, ok := m.(stateful); ok {
			twin.matches[i] = m.fork()
		}
	}
	if twin.decision.Rule != nil {
		twin.decision.Rule = &twin
	}
	return &twin
}

func (c *Counter) fork() *Counter { return counterOf(c.Packets(), c.Bytes()) }

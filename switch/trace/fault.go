package trace

import (
	"fmt"
	"runtime/debug"
)

// Contain, deferred, ends a panic of the calling goroutine: it is counted for the reason and told of (see OnFault), and the
// function returns. what says what failed: "the gateway's timer". For goroutines that are no port's; those see to themselves.
func (t *Tracer) Contain(r Reason, what string) {
	if fault := recover(); fault != nil {
		t.Count(r)
		t.Fault(what, fault)
	}
}

// Fault tells of a panic that somebody has recovered from, in the deferred function, while the stack is still there. Counting
// it is the caller's.
func (t *Tracer) Fault(what string, recovered any) {
	if say := t.faults.Load(); say != nil {
		(*say)(fmt.Errorf("%s failed: %v\n%s", what, recovered, debug.Stack()))
	}
}

// OnFault says who hears of panics that were contained. It may be called from any goroutine, whatever lock that holds, and must
// not block.
func (t *Tracer) OnFault(say func(error)) { t.faults.Store(&say) }

package sim_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"uswitch/sim"
)

// told is what tasks have said.
type told struct{ strings.Builder }

func (t *told) say(l *sim.Loop, what string) {
	fmt.Fprintf(t, "%v %s\n", l.Now().Sub(sim.Epoch), what)
}

func begin(t *testing.T) *sim.Loop {
	l := sim.NewLoop()
	t.Cleanup(l.Close)
	return l
}

// TestLoopRunsOneThingAtATime: tasks and events take turns in one order, and time jumps from one to the next.
func TestLoopRunsOneThingAtATime(t *testing.T) {
	t.Parallel()
	l := begin(t)
	var out told
	over := make(chan struct{})
	release := l.Hold()
	woken := false
	l.Go(func() {
		out.say(l, "first")
		_ = l.Sleep(context.Background(), 3*time.Hour)
		out.say(l, "first again")
		woken = true
	})
	l.Go(func() {
		out.say(l, "second")
		_ = l.Wait(func() bool { return woken })
		out.say(l, "second, woken")
		close(over)
	})
	l.After(time.Minute, func() { out.say(l, "event") })
	l.After(time.Minute, func() { out.say(l, "the event after it") })
	l.After(0, func() { out.say(l, "now") })
	leave := l.Attend(false)
	defer leave()
	release()
	<-over
	want := "0s first\n0s now\n0s second\n1m0s event\n1m0s the event after it\n3h0m0s first again\n3h0m0s second, woken\n"
	if out.String() != want {
		t.Errorf("got\n%swant\n%s", out.String(), want)
	}
}

// TestLoopStandsStill: without anybody who waits, what is due now is done, and nothing else.
func TestLoopStandsStill(t *testing.T) {
	t.Parallel()
	l := begin(t)
	now, later := make(chan struct{}), make(chan struct{})
	l.After(0, func() { close(now) })
	l.After(time.Nanosecond, func() { close(later) })
	<-now
	if err := l.Do(func() {}); err != nil {
		t.Fatal(err)
	}
	select {
	case <-later:
		t.Fatal("time has passed")
	default:
	}
	leave := l.Attend(false)
	<-later
	leave()
}

// TestLoopTimeouts: a context ends by the loop's time, with the cause that was given.
func TestLoopTimeouts(t *testing.T) {
	t.Parallel()
	l := begin(t)
	defer l.Attend(false)()
	late := errors.New("late")
	got := make(chan error, 1)
	l.Go(func() {
		ctx, cancel := l.WithTimeout(context.Background(), time.Hour, late)
		defer cancel()
		got <- l.Sleep(ctx, 2*time.Hour)
	})
	if err := <-got; !errors.Is(err, late) {
		t.Errorf("%v", err)
	}
}

// TestLoopOutside: virtual time stands still while a task is busy outside, and goes on for one that reads what does not come.
func TestLoopOutside(t *testing.T) {
	t.Parallel()
	l := begin(t)
	defer l.Attend(false)()
	var out told
	over, typed := make(chan struct{}), make(chan struct{})
	release := l.Hold()
	l.Go(func() {
		l.Outside(sim.Writing, func() { time.Sleep(20 * time.Millisecond) })
		out.say(l, "written")
		l.Outside(sim.Reading, func() { <-typed })
		out.say(l, "read")
		close(over)
	})
	l.After(time.Second, func() { out.say(l, "an event"); close(typed) })
	release()
	<-over
	if want := "0s written\n1s an event\n1s read\n"; out.String() != want {
		t.Errorf("got\n%swant\n%s", out.String(), want)
	}
}

// TestLoopContainsFaults: a panic of an event or a task is told of, and the rest goes on.
func TestLoopContainsFaults(t *testing.T) {
	t.Parallel()
	l := begin(t)
	var faults []string
	l.OnFault(func(err error) {
		first, _, _ := strings.Cut(err.Error(), "\n")
		faults = append(faults, first)
	})
	over := make(chan struct{})
	release := l.Hold()
	l.Go(func() { panic("a task") })
	l.After(0, func() { panic("an event") })
	l.After(0, func() { close(over) })
	release()
	<-over
	if got := strings.Join(faults, ", "); got != "a task, an event" {
		t.Errorf("told of: %s", got)
	}
}

// TestLoopEnds: whoever waits when the loop ends hears of it, and the loop waits for that.
func TestLoopEnds(t *testing.T) {
	t.Parallel()
	l := sim.NewLoop()
	var got error
	l.Go(func() { got = l.Wait(func() bool { return false }) })
	_ = l.Do(func() {})
	l.Close()
	if !errors.Is(got, sim.ErrOver) {
		t.Errorf("the task has heard %v", got)
	}
	if err := l.Do(func() {}); !errors.Is(err, sim.ErrOver) {
		t.Errorf("Do after the end: %v", err)
	}
}

// TestWallLoop: on a loop of wall time, time passes by itself, whoever waits.
func TestWallLoop(t *testing.T) {
	t.Parallel()
	l := sim.NewWallLoop()
	defer l.Close()
	over, typed := make(chan struct{}), make(chan struct{})
	l.Go(func() {
		l.Outside(sim.Writing, func() { <-typed })
		close(over)
	})
	l.Go(func() {
		_ = l.Sleep(context.Background(), time.Millisecond)
		close(typed)
	})
	<-over
}

// TestRunSettles: what somebody outside does is over, with all that it sets off at that moment, before the next thing that he does;
// no time passes.
func TestRunSettles(t *testing.T) {
	l := sim.NewLoop()
	defer l.Close()
	var order []string
	for _, name := range []string{"a", "b"} {
		err := l.Run(func() {
			order = append(order, name)
			l.After(0, func() {
				order = append(order, name+" at once")
				l.Go(func() { order = append(order, name+"'s task") })
			})
			l.After(time.Millisecond, func() { order = append(order, name+" later") })
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if got := strings.Join(order, ", "); got != "a, a at once, a's task, b, b at once, b's task" || !l.Now().Equal(sim.Epoch) {
		t.Errorf("%s; it is %v", got, l.Now())
	}
}

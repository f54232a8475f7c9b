package world

import (
	"context"
	"errors"
	"fmt"
	"time"

	vswitch "uswitch/switch"
)

// replug makes a card anew whose cable is out of the switch, as it was, with its routes and its published ports. It needs a
// change that has begun.
func (w *World) replug(ctx context.Context, host string, card *Card) error {
	now := w.now.Load()
	c := &changeover{World: w, old: now.plan, now: now.plan, filed: now.filed,
		out: func(_ string, other *Card) bool { return other.cable == card.cable }}
	c.plot()
	_, err := w.take(ctx, c.moves)
	if err == nil {
		w.report(fmt.Sprintf("%s: plugged in again", host))
	}
	return err
}

// carry runs the port until it is unplugged, and says so if nobody asked for it. What a fault has unplugged comes back after a
// pause, unless somebody has plugged it in, or taken it away, before that.
func (w *World) carry(host string, card *Card, closing <-chan struct{}) {
	err := card.Port.Run()
	if err == nil {
		return
	}
	why := err.Error()
	card.unplugged.Store(&why)
	if !errors.Is(err, vswitch.ErrFault) {
		w.report(fmt.Sprintf("%s: unplugged: %s", host, why))
		return
	}
	w.report(fmt.Sprintf("%s: unplugged, and plugged in again in %v: %s", host, faultPause, why))
	w.ports.Go(func() {
		select {
		case <-closing:
		case <-time.After(faultPause):
			w.comeBack(host, card, closing)
		}
	})
}

// comeBack is replug as a change of its own.
func (w *World) comeBack(host string, card *Card, closing <-chan struct{}) {
	for !w.changing.TryLock() { // Down has it, and waits for this
		select {
		case <-closing:
			return
		case <-time.After(faultPause / 100):
		}
	}
	defer w.changing.Unlock()
	select {
	case <-closing:
		return
	default:
	}
	if !w.up {
		return
	}
	if err := w.replug(context.Background(), host, card); err != nil {
		w.report(fmt.Sprintf("%s: %v; `uswitch set port %s up=on` tries again", host, err, host))
	}
}

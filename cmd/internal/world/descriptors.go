package world

import (
	"fmt"
	"sync"

	"uswitch/cmd/internal/plan"
	"uswitch/nat/uplink"
)

// descriptors shares out the file descriptors that this process may have. So many are kept for whoever controls the lab
// (uplink.ReservedFiles); cards and published ports get theirs first come, first served, and flows what those leave.
type descriptors struct {
	free int // for cards, published ports and flows; 0: nobody counts, for nothing here has one

	mu    sync.Mutex // guards what follows
	cards int
	tell  func(cards int) // those who have the rest; nil: nobody
}

// newDescriptors counts for hosts whose cards are real ones.
func (w *World) newDescriptors(free int) *descriptors {
	switch _, simulated := w.host.(InTurn); {
	case simulated:
		return &descriptors{}
	case free == 0:
		return &descriptors{free: uplink.FreeFiles()}
	}
	return &descriptors{free: free}
}

// check refuses a plan that has more cards and ports than there are descriptors, before anything is made.
func (d *descriptors) check(p *plan.Plan) error {
	cards, ports := 0, 0
	for _, h := range p.Hosts {
		cards += len(h.Interfaces)
		if p.Uplink.Kind == plan.UplinkHost {
			ports += len(h.Ports)
		}
	}
	if d.free == 0 || cards+ports <= d.free {
		return nil
	}
	return fmt.Errorf("lab %s has %d network cards and %d published ports, each with a file descriptor, and there are %d for them: %s",
		p.Name, cards, ports, d.free, d.remedy())
}

// remedy says what would help.
func (d *descriptors) remedy() string {
	return fmt.Sprintf("this process may have %d, some of which are kept back for its control; ulimit -n raises that", uplink.FileLimit())
}

// takeCard counts one more card, if there is a descriptor for it.
func (d *descriptors) takeCard() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.free > 0 && d.cards >= d.free {
		return fmt.Errorf("no file descriptor is left for another network card: %d have one, and %s", d.cards, d.remedy())
	}
	d.count(1)
	return nil
}

func (d *descriptors) giveCard() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.count(-1)
}

// count needs the lock.
func (d *descriptors) count(n int) {
	d.cards += n
	if d.tell != nil {
		d.tell(d.cards)
	}
}

// share says who has what the cards leave, and must be told how many there are.
func (d *descriptors) share(tell func(cards int)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.free > 0 {
		d.tell = tell
		d.count(0)
	}
}

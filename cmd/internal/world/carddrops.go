package world

import "context"

// DroppedAtCards returns how many frames the hosts' own interfaces have dropped because their queues were full: nothing of the
// switch ever saw those, so that no counter of it has them. A card that is gone has taken its count along.
func (w *World) DroppedAtCards() (sum uint64) {
	var all []interface{ Dropped() (uint64, error) }
	for _, h := range w.Hosts() {
		for _, c := range h.Cards {
			if d, ok := c.device.(interface{ Dropped() (uint64, error) }); ok {
				all = append(all, d)
			}
		}
	}
	_ = inOrder(context.Background(), len(all), abreastOn(w.host),
		func(i int) (uint64, error) {
			n, _ := all[i].Dropped() // of one that goes at this moment nothing is known any more
			return n, nil
		},
		func(n uint64) error {
			sum += n
			return nil
		})
	return sum
}

// DroppedAtSockets returns how many datagrams the queues of the machine's own sockets have dropped, through which the lab has
// to do with the outside.
func (w *World) DroppedAtSockets() uint64 {
	if w.way == nil || w.way.overflowed == nil {
		return 0
	}
	return w.way.overflowed()
}

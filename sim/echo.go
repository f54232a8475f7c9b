package sim

import (
	"fmt"
	"net/netip"
	"time"

	"uswitch/switch/frame"
)

// echoes is who hears the answers to echo requests of one identifier, and the errors about them.
type echoes struct {
	replied func(frame.IPv4)
	failed  func(fault)
}

// listenEcho returns an identifier whose answers and errors are e's from now on.
func (m *Machine) listenEcho(e echoes) (id uint16) {
	m.lastEcho++
	m.echoes[m.lastEcho] = e
	return m.lastEcho
}

// askEcho sends one echo request with size bytes of data, and hands what comes of it to done, once: nil is an answer, ErrTimeout
// silence as long as wait.
func (m *Machine) askEcho(dst netip.Addr, size int, dontFragment bool, wait time.Duration, done func(error)) {
	w, err := m.net.source(toward(frame.ProtoICMP, netip.AddrPortFrom(dst, 0)))
	if err == nil && dontFragment && frame.IPv4Header+frame.ICMPHeader+size > w.mtu {
		err = fmt.Errorf("%w: at most %d bytes fit the way, as far as it is known", ErrTooLong, w.mtu)
	}
	if err != nil {
		done(err)
		return
	}
	var id uint16
	var timer *Timer
	end := func(err error) {
		timer.Stop()
		delete(m.echoes, id)
		done(err)
	}
	id = m.listenEcho(echoes{
		replied: func(ip frame.IPv4) {
			if ip.Src() == dst {
				end(nil)
			}
		},
		failed: func(e fault) { end(e.asError(dst)) },
	})
	timer = m.time.After(wait, func() { end(ErrTimeout) })
	request := make([]byte, frame.ICMPHeader+size)
	for i := range size {
		request[frame.ICMPHeader+i] = byte(i)
	}
	m.send(outgoing{proto: frame.ProtoICMP, src: w.src, dst: dst, ttl: w.ttl, dontFragment: dontFragment,
		payload: frame.PutEcho(request, frame.ICMPEcho, id, 1)}, w.mtu)
}

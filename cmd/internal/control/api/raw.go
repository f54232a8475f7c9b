package api

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"sync"
	"time"

	"uswitch/cmd/internal/words"
)

// RawPath is where a raw socket of the gateway is opened, and what it sends is sent.
const RawPath = "/v1/raw"

// RawOpened begins the stream of a raw socket: whence its packets go, and by which number answers find it - the identifier of
// its ICMP echoes, or the port its datagrams come from.
type RawOpened struct {
	Source netip.Addr `json:"source"`
	Number uint16     `json:"number"`
	// Virtual says that the lab's time is virtual, and passes only while the client waits for something, by a RawWait: nothing else
	// comes by this stream. Time is when it was opened.
	Virtual bool      `json:"virtual,omitempty"`
	Time    time.Time `json:"time,omitzero"`
}

// RawWaitPath is where what has come for a raw socket is fetched in virtual time.
const RawWaitPath = RawPath + "/wait"

// RawWait waits for the next packet for a raw socket. The answer is a RawPacket, without a packet if none has come in that time.
type RawWait struct {
	Number uint16        `json:"number"`
	Wait   time.Duration `json:"wait"`
}

// RawPacket is an IP packet that was sent, by a POST, or that has come for a raw socket.
type RawPacket struct {
	Time   time.Time `json:"time,omitzero"`
	Packet []byte    `json:"packet,omitempty"`
}

// RawQueue is how many packets wait for a slow client; more are lost, as on any network.
const RawQueue = 256

// Raw is a raw socket of the gateway. Send and Receive may be called from different goroutines.
type Raw struct {
	RawOpened
	client *Client
	ctx    context.Context
	stop   context.CancelFunc
	in     chan RawPacket // closed when the lab is gone
	failed error          // why; set before in is closed

	mu  sync.Mutex // guards now
	now time.Time  // the lab's virtual time, as it was told last
}

// ErrTimeout says that nothing came in time.
var ErrTimeout = words.Errorf("nothing came in time")

// OpenRaw opens a raw socket for what answers packets to an address, with proto icmp or udp; of these, it gets answers to
// echoes with its Number and ICMP errors about them, or what comes to the port Number and errors about what was sent from
// there. The error says in the kernel's words that there is no route.
func (c *Client) OpenRaw(ctx context.Context, proto string, to netip.Addr) (*Raw, error) {
	r := &Raw{client: c, in: make(chan RawPacket, RawQueue)}
	r.ctx, r.stop = context.WithCancel(ctx)
	body, err := c.Stream(r.ctx, http.MethodGet, RawPath, url.Values{"proto": {proto}, "to": {to.String()}}, nil)
	if err != nil {
		r.stop()
		return nil, err
	}
	lines := json.NewDecoder(body)
	if err := lines.Decode(&r.RawOpened); err != nil {
		r.stop()
		return nil, errors.Join(c.broken(err), body.Close())
	}
	r.now = r.Time
	go r.read(lines, body)
	return r, nil
}

func (r *Raw) read(lines *json.Decoder, body io.Closer) {
	defer body.Close()
	defer close(r.in)
	for {
		var p RawPacket
		if r.failed = lines.Decode(&p); r.failed != nil {
			return
		}
		select {
		case r.in <- p:
		case <-r.ctx.Done():
			return
		}
	}
}

// Send sends an IP packet, whose source must be an address of the gateway, and returns when it left.
func (r *Raw) Send(packet []byte) (time.Time, error) {
	var sent RawPacket
	err := r.client.Do(r.ctx, http.MethodPost, RawPath, nil, RawPacket{Packet: packet}, &sent)
	return sent.Time, err
}

// Now returns the time by which the socket's times are to be compared: this machine's or, of a lab in virtual time, the lab's.
func (r *Raw) Now() time.Time {
	if !r.Virtual {
		return time.Now()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.now
}

// wait is Receive in virtual time.
func (r *Raw) wait(wait time.Duration) (packet []byte, at time.Time, err error) {
	var p RawPacket
	if err := r.client.Do(r.ctx, http.MethodPost, RawWaitPath, nil, RawWait{r.Number, wait}, &p); err != nil {
		if r.ctx.Err() != nil {
			err = context.Canceled
		}
		return nil, at, err
	}
	r.mu.Lock()
	r.now = p.Time
	r.mu.Unlock()
	if p.Packet == nil {
		return nil, at, ErrTimeout
	}
	return p.Packet, p.Time, nil
}

// Receive returns the next packet and when it came, or ErrTimeout, or why there will be none any more: context.Canceled after
// Close and when the context of OpenRaw has ended.
func (r *Raw) Receive(wait time.Duration) (packet []byte, at time.Time, err error) {
	if r.Virtual {
		return r.wait(wait)
	}
	timer := time.NewTimer(max(wait, 0))
	defer timer.Stop()
	select {
	case p, ok := <-r.in:
		switch {
		case !ok && r.ctx.Err() != nil:
			return nil, at, context.Canceled
		case !ok:
			return nil, at, r.client.broken(r.failed)
		}
		return p.Packet, p.Time, nil
	case <-timer.C:
		return nil, at, ErrTimeout
	}
}

// Close gives the number back.
func (r *Raw) Close() { r.stop() }

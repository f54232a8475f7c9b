package server

import (
	"encoding/json"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"

	"uswitch/cmd/internal/control/api"
	"uswitch/cmd/internal/words"
	"uswitch/nat"
	"uswitch/switch/frame"
)

// match reads a query and returns its filter.
func match(q url.Values) (func(nat.Conn) bool, error) {
	f := api.ParseConnFilter(q)
	proto, err := protocol(f.Proto)
	if err != nil {
		return nil, err
	}
	var prefixes [4]netip.Prefix
	for i, text := range []string{f.OrigSrc, f.OrigDst, f.ReplySrc, f.ReplyDst} {
		if prefixes[i], err = prefix(text); err != nil {
			return nil, err
		}
	}
	var ports [2]uint16
	for i, text := range []string{f.Sport, f.Dport} {
		n, err := strconv.ParseUint(text, 10, 16)
		if text != "" && (err != nil || n == 0) {
			return nil, words.Errorf("port %q: want 1 to 65535", text)
		}
		ports[i] = uint16(n)
	}
	if f.Family != "" && f.Family != "ipv4" && f.Family != "ipv6" {
		return nil, words.Errorf("family %q: want ipv4 or ipv6", f.Family)
	}
	in := func(p netip.Prefix, a netip.Addr) bool { return !p.IsValid() || p.Contains(a) }
	return func(c nat.Conn) bool {
		return (f.Family == "" || (f.Family == "ipv4") == c.Original.SrcIP.Is4()) && (proto < 0 || proto == int(c.Original.Proto)) &&
			in(prefixes[0], c.Original.Src()) && in(prefixes[1], c.Original.Dst()) &&
			in(prefixes[2], c.Reply.Src()) && in(prefixes[3], c.Reply.Dst()) &&
			(ports[0] == 0 || ports[0] == c.Original.SrcPort) && (ports[1] == 0 || ports[1] == c.Original.DstPort) &&
			(!f.SNAT || c.SNAT) && (!f.DNAT || c.DNAT)
	}, nil
}

// protocol returns the number of a protocol, -1 for none.
func protocol(text string) (int, error) {
	switch strings.ToLower(text) {
	case "":
		return -1, nil
	case "tcp":
		return int(frame.ProtoTCP), nil
	case "udp":
		return int(frame.ProtoUDP), nil
	case "icmp":
		return int(frame.ProtoICMP), nil
	case "icmpv6", "ipv6-icmp":
		return int(frame.ProtoICMPv6), nil
	}
	n, err := strconv.ParseUint(text, 10, 8)
	if err != nil {
		return -1, words.Errorf("protocol %q: want tcp, udp, icmp, icmpv6 or a number", text)
	}
	return int(n), nil
}

// prefix reads an address or a prefix; the zero prefix stands for no text.
func prefix(text string) (netip.Prefix, error) {
	if text == "" {
		return netip.Prefix{}, nil
	}
	if a, err := netip.ParseAddr(text); err == nil {
		return a.Prefix(a.BitLen())
	}
	p, err := netip.ParsePrefix(text)
	if err != nil {
		return p, words.Errorf("address %q: want one as in 11.11.11.2 or 11.11.11.0/24", text)
	}
	return p.Masked(), nil
}

// conns lists connections, or streams their changes.
func (s *Server) conns(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	matches, err := match(q)
	if err != nil {
		fail(w, r, err)
		return
	}
	if q.Has("follow") {
		s.followConns(w, r, matches)
		return
	}
	writeWithin(w, writeTime)
	rows := []api.Conn{}
	for _, c := range s.world.Gateway().Conns(s.world.Now()) {
		if matches(c) {
			rows = append(rows, *connOf(c))
		}
	}
	send(w, rows)
}

func (s *Server) forgetConns(r *http.Request) (any, error) {
	matches, err := match(r.URL.Query())
	if err != nil {
		return nil, err
	}
	return api.Count{Count: s.world.Gateway().FlushConns(matches, s.world.Now())}, nil
}

func (s *Server) followConns(w http.ResponseWriter, r *http.Request, matches func(nat.Conn) bool) {
	feed := s.world.Gateway().Follow() // before the answer begins: who has that misses nothing from there on
	var encode *json.Encoder
	defer func() {
		if lost := s.world.Gateway().Unfollow(feed); lost > 0 && encode != nil {
			_ = encode.Encode(api.ConnEvent{Lost: lost})
		}
	}()
	out, done, err := s.stream(w, ndjson)
	if err != nil {
		fail(w, r, err)
		return
	}
	defer done()
	encode = json.NewEncoder(out)
	types := map[nat.ConnChange]string{nat.ConnNew: "NEW", nat.ConnUpdated: "UPDATE", nat.ConnEnded: "DESTROY"}
	for {
		select {
		case <-r.Context().Done():
			return
		case e := <-feed.C:
			if !matches(e.Conn) {
				continue
			}
			if encode.Encode(api.ConnEvent{Time: e.Time, Type: types[e.Change], Conn: connOf(e.Conn)}) != nil {
				return
			}
		}
	}
}

func connOf(c nat.Conn) *api.Conn {
	return &api.Conn{ID: c.ID, Protocol: strings.ToLower(frame.ProtoName(c.Original.Proto)), Protonum: c.Original.Proto,
		Timeout: int(c.Timeout / time.Second), State: c.State, Replied: c.Replied, Assured: c.Assured,
		Original: tupleOf(c.Original, c.Packets[0], c.Bytes[0]), Reply: tupleOf(c.Reply, c.Packets[1], c.Bytes[1])}
}

func tupleOf(t frame.Tuple, packets, bytes uint64) api.Tuple {
	row := api.Tuple{Src: t.Src(), Dst: t.Dst(), Packets: packets, Bytes: bytes}
	if frame.IsICMP(t.Proto) {
		row.ID = t.SrcPort
	} else {
		row.Sport, row.Dport = t.SrcPort, t.DstPort
	}
	return row
}

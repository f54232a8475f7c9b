package trace_test

import (
	"cmp"
	"flag"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

var update = flag.Bool("update", false, "rewrite the files in testdata")

// golden compares got with a file in testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s: got\n%s\nwant\n%s", name, got, want)
	}
}

func TestJourneys(t *testing.T) {
	for _, tt := range []struct {
		name    string
		options trace.TextOptions
		events  []trace.Event
	}{
		{"first-ping.txt", trace.TextOptions{Names: labNames{}}, firstPing()},
		{"first-ping-nameless.txt", trace.TextOptions{}, firstPing()},
		{"ping-out.txt", trace.TextOptions{Names: labNames{}}, pingOut()},
		{"ping-out-colour.txt", trace.TextOptions{Names: labNames{}, Colour: true}, pingOut()},
		{"ping-out-72.txt", trace.TextOptions{Names: labNames{}, Width: 72}, pingOut()},
		{"waiting.txt", trace.TextOptions{Names: labNames{}}, waiting()},
		{"publish.txt", trace.TextOptions{Names: labNames{}}, publish()},
	} {
		t.Run(tt.name, func(t *testing.T) {
			text := print(tt.options, tt.events...)
			golden(t, tt.name, text)
			width := cmp.Or(tt.options.Width, 100)
			for line := range strings.Lines(text) {
				if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > width && !tt.options.Colour {
					t.Errorf("%d columns: %s", n, line)
				}
			}
		})
	}
}

// longNames calls two hosts as people call them who have many.
type longNames struct{}

func (longNames) Name(a netip.Addr) (string, bool) {
	name, ok := map[netip.Addr]string{red: "shop-frontend-replica-1", blue: "shop-database-replica-2"}[a]
	return name, ok
}
func (longNames) NameMAC(frame.MAC) (string, bool) { return "", false }

// TestEightyColumns: nothing is wider than the screen, and what a step did stands in one column, however long names are.
func TestEightyColumns(t *testing.T) {
	w := walk{packet: 123, time: start, data: ethernet(redMAC, blueMAC, frame.TypeIPv4, ipv4(6, 64, red, blue, tcp(40000, 80, 1<<31, 1<<30, frame.ACK, make([]byte, 1000))))}
	w.step(trace.Ingress, trace.Accept, "shop_backend_network", trace.Event{Port: "shop-frontend-replica-1"})
	w.step(trace.Bridge, trace.Unicast, "shop_backend_network", trace.Event{Note: trace.Known, Port: "shop-database-replica-2"})
	w.step(trace.Egress, trace.Accept, "shop_backend_network", trace.Event{Port: "BLUE"})
	text := print(trace.TextOptions{Width: 80, Names: longNames{}}, w.events...)
	want := -1
	for line := range strings.Lines(text) {
		if n := len([]rune(strings.TrimRight(line, "\n"))); n > 80 {
			t.Errorf("%d columns: %s", n, line)
		}
		for _, hook := range []string{"ingress ", "forward ", "egress "} {
			if at := strings.Index(line, hook); at >= 0 {
				if want < 0 {
					want = at
				}
				if at != want {
					t.Errorf("%q stands in column %d, others in %d", hook, at, want)
				}
			}
		}
	}
	if !strings.HasPrefix(text, "#123 shop-frontend-replica-1 > shop-database-replica-2") || !strings.Contains(text, "TCP 40000 > 80 [.] seq") {
		t.Errorf("the head is\n%s", text)
	}
}

// TestRelativeNumbers: as in tcpdump, SYNs show where a connection begins, and what follows counts from there, on either side
// of a translation; one that is met on its way counts from where it was met.
func TestRelativeNumbers(t *testing.T) {
	packet := uint64(0)
	segment := func(src, dst netip.Addr, sport, dport uint16, seq, ack uint32, flags frame.TCPFlags, n int, conn uint64) trace.Event {
		packet++
		w := walk{packet: packet, time: start.Add(time.Duration(packet) * time.Second), ip: true,
			data: ipv4(frame.ProtoTCP, 64, src, dst, tcp(sport, dport, seq, ack, flags, make([]byte, n)))}
		w.step(trace.Ingress, trace.Accept, "uplink", trace.Event{Conn: conn})
		return w.events[0]
	}
	text := print(trace.TextOptions{},
		segment(red, google, 40000, 80, 1000, 0, frame.SYN, 0, 5),
		segment(google, out, 80, 61000, 5000, 1001, frame.SYN|frame.ACK, 0, 5), // the translated side
		segment(red, google, 40000, 80, 1001, 5001, frame.ACK, 0, 5),
		segment(red, google, 40000, 80, 1001, 5001, frame.ACK|frame.PSH, 100, 5),
		segment(google, out, 80, 61000, 5001, 1101, frame.ACK|frame.FIN, 20, 5),
		segment(red, blue, 1, 2, 700, 900, frame.ACK, 10, 0),
		segment(blue, red, 2, 1, 900, 710, frame.ACK, 0, 0))
	var got []string
	for line := range strings.Lines(text) {
		if i := strings.Index(line, "["); i > 0 {
			got = append(got, strings.Join(strings.Fields(strings.Split(line[i:], " len ")[0]), " "))
		}
	}
	want := []string{"[S] seq 1000", "[S.] seq 5000 ack 1001", "[.] ack 1", "[P.] seq 1:101 ack 1", "[F.] seq 1:21 ack 101", "[.] seq 700:710 ack 900", "[.] ack 10"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q\nwant %q", got, want)
	}
}

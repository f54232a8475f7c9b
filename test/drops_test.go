package test

import (
	"encoding/json"
	"strings"
	"syscall"
	"testing"
)

// TestDrops: what was dropped is listed with its last packet, though nobody listened; what is dropped can be followed.
func TestDrops(t *testing.T) {
	needs(t)
	t.Parallel()
	l := newLab(t, strings.Replace(threeHosts, "{uplink: none}", "{uplink: sim}", 1))
	l.up("--trace", "off")
	contains(t, l.do("drops"), "No packet was dropped.")
	l.do("iptables", "-P", "FORWARD", "DROP")
	l.do("iptables", "-F", "FORWARD")
	if l.pings("RED", "8.8.8.8") {
		t.Fatal("nothing lets this through")
	}
	out := strings.ReplaceAll(l.do("drops"), l.suffix, "")
	contains(t, out, "policy-drop", "no rule lets it through", "s ago", "gateway forward: RED > 8.8.8.8", "ICMP echo request", "by -P FORWARD DROP")
	var rows []struct {
		Reason string
		Count  int
		Last   struct{ Where, Hook, Rule, Summary string }
	}
	if err := json.Unmarshal([]byte(l.do("drops", "-o", "json")), &rows); err != nil || len(rows) == 0 {
		t.Fatalf("%v %v", err, rows)
	}
	for _, row := range rows {
		if row.Reason == "policy-drop" && (row.Count == 0 || row.Last.Where != "gateway" || row.Last.Hook != "forward" || row.Last.Rule != "-P FORWARD DROP") {
			t.Errorf("%+v", row)
		}
	}

	// The lab was begun in no language: who reads it in Korean reads nothing else, and who reads beside it in English likewise.
	text := l.reads(korean, "drops")
	contains(t, text, "통과시키는 규칙이 없고, 체인의 기본 정책이 DROP입니다", "s 전", "gateway forward: RED > 8.8.8.8", "바이트\n", "규칙: -P FORWARD DROP")
	inKorean(t, "drops", text)
	contains(t, l.reads(korean, "drops", "-o", "json"), `"reason": "policy-drop"`, "기본 정책이 DROP입니다")
	inEnglish(t, "drops --lang en", l.reads(korean, "drops", "--lang", "en"))

	cmd := l.uswitch("drops", "-f")
	follow := beginCommand(t, cmd)
	eventually(t, "a drop is told", func() bool {
		l.pings("RED", "8.8.8.8")
		return follow.stdout.count() > 0
	})
	line := follow.stdout.find(t, 0, "a drop", containing("policy-drop", "gateway forward", "echo request"))
	if strings.Contains(line, "more like this") {
		t.Errorf("the first of its kind: %s", line)
	}
	follow.signal(syscall.SIGINT)
	if status := follow.wait(); status != 0 {
		t.Errorf("status %d after Ctrl-C: %s", status, follow.stderr)
	}
}

package test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// No reason and no note is a dead word: each is emitted somewhere, and provoked by a test.

// provoked says which test has a packet end for a reason, or a step say a note: its package and its name.
var provoked = map[string]string{
	// Reasons.
	"PktTooSmall":    "switch TestOutputRunt",
	"PktTooBig":      "switch TestFinishMTU",
	"BadOffload":     "switch TestFinishRefuses",
	"GroupSource":    "switch TestPath",
	"MACSpoof":       "switch TestLocalReplaced",
	"ReservedGroup":  "switch TestReserved",
	"SamePort":       "switch TestManyPorts",
	"Storm":          "switch TestModelLimit",
	"Loop":           "switch TestLoopOfStrangers",
	"Isolated":       "switch TestIsolatedIsTold",
	"RAGuard":        "switch TestGuards",
	"NDGuard":        "switch TestGuards",
	"DHCPGuard":      "switch TestGuards",
	"NoFlood":        "switch TestNobodyToFloodTo",
	"NoOtherPort":    "switch TestNobodyToFloodTo",
	"PortDown":       "switch TestWriteErrors",
	"PortGone":       "switch TestWriteErrors",
	"PortDisabled":   "switch TestPortIsDown",
	"BridgeLoop":     "switch TestPatchesInACircle",
	"TxError":        "switch TestFinishRefuses",
	"PortFault":      "switch TestAttachTaken",
	"VXLANHeader":    "switch/vxlan TestReasons",
	"VXLANVNI":       "switch/vxlan TestReasons",
	"VXLANPeer":      "switch/vxlan TestReasons",
	"VXLANOwn":       "switch/vxlan TestReasons",
	"VXLANNoRemote":  "switch/vxlan TestReasons",
	"TunnelECN":      "switch/vxlan TestReasons",
	"NICQueue":       "cmd/internal/control/server TestNICDrops",
	"SocketQueue":    "cmd/internal/control/server TestSocketDrops",
	"BadARP":         "test TestMalformedARP",
	"ARPSender":      "test TestMalformedARP",
	"ARPForeign":     "test TestMalformedARP",
	"ARPLoop":        "nat TestARPIsTold",
	"NeighFailed":    "nat TestA9Silence",
	"NeighRemoved":   "nat TestRemoveDropsWhatWaits",
	"NeighQueueFull": "nat TestA9QueueIsBounded",
	"NeighTableFull": "nat TestF20TableIsBounded",
	"BadND":          "nat TestSixDiscoveryIsNotBelieved",
	"NDDistant":      "nat TestSixDiscoveryIsNotBelieved",
	"NDFragment":     "nat TestSixDiscoveryIsNotBelieved",
	"NDSender":       "nat TestSixDiscoveryIsNotBelieved",
	"ForeignRouter":  "nat TestSixDiscoveryIsNotBelieved",
	"NotIP":          "nat TestNotForTheGateway",
	"NoIPv6":         "nat TestSixIsNotFour",
	"ExtensionChain": "nat TestSixErrors",
	"BeyondScope":    "nat TestSixErrors",
	"OtherHost":      "nat TestNotForTheGateway",
	"IPHeader":       "nat TestG2Header",
	"IPChecksum":     "nat TestG2Header",
	"IPOptions":      "nat TestG13Options",
	"SourceRoute":    "nat TestG13Options",
	"Martian":        "nat TestG7WhoHasNoAddressYet",
	"SpoofedSource":  "nat TestG7WhoHasNoAddressYet",
	"OwnSource":      "nat TestG7Martians",
	"NoAddress":      "nat TestG7WhoHasNoAddressYet",
	"Directed":       "nat TestG8DirectedBroadcast",
	"BadICMP":        "nat TestN19Checksums",
	"BadL4":          "nat TestF38PortZero",
	"BadL4Checksum":  "nat/uplink TestOutputRefuses",
	"NoForwarding":   "nat TestG14NoForwarding",
	"NoRoute":        "nat TestG4Unreachable",
	"TTLExpired":     "nat TestG1TimeToLive",
	"FragNeeded":     "nat TestG11Fragmentation",
	"FragBad":        "nat TestG12PastTheEnd",
	"FragTimeout":    "nat TestG12TimeoutIsTraced",
	"FragNoMem":      "nat TestEveryFragmentHasAnEnd",
	"FragDuplicate":  "nat TestEveryFragmentHasAnEnd",
	"NoProto":        "nat TestNotForTheGateway",
	"NoSocket":       "nat TestSocketHearsWhatIsSentToThePort",
	"NoGroup":        "nat TestG8DirectedBroadcast",
	"Unanswered":     "nat TestN19Checksums",
	"Limited":        "nat TestG4UplinkSaysWhy",
	"RuleDrop":       "nat TestG14Isolation",
	"RuleReject":     "nat TestReject",
	"PolicyDrop":     "nat TestTraceDrops",
	"Invalid":        "nat TestWhyASourceCannotLeave",
	"SourceLimit":    "nat TestClosedOnesMakeRoomFirst",
	"DialRate":       "nat/uplink TestDialRateIsOfFailures",
	"NATNoPort":      "nat TestBinderRefuses",
	"NoConnForICMP":  "nat TestUndelivered",
	"NoUplink":       "nat TestG4UplinkSaysWhy",
	"UplinkClosed":   "nat/uplink TestWhatTheKernelSays",
	"UplinkProto":    "nat/uplink TestOutputRefuses",
	"UplinkTooBig":   "nat TestTraceOfARefusal",
	"UplinkForbid":   "nat/uplink TestWhatTheKernelSays",
	"UplinkError":    "nat/uplink TestWhatTheKernelSays",
	"ClientGone":     "nat/uplink TestAnswerToAForgottenClient",
	"InsideSource":   "nat TestWhyASourceCannotLeave",
	"ForeignSource":  "nat TestWhyASourceCannotLeave",
	"HostForbidden":  "nat TestG4UplinkSaysWhy",
	"HostUnknown":    "nat TestG4UplinkSaysWhy",
	"Refused":        "nat TestG4UplinkSaysWhy",
	"Unreachable":    "nat TestG4UplinkSaysWhy",
	"TimedOut":       "nat TestG4UplinkSaysWhy",
	"NoMem":          "nat TestG4UplinkSaysWhy",
	"NoICMPSocket":   "nat/uplink TestWhatTheKernelSays",
	"TCPFlags":       "nat/uplink TestDiscards",
	"AckUnsent":      "nat/uplink TestDiscards",
	"UplinkFault":    "nat/uplink TestHostFaultOnTheWayOut",
	"GatewayFault":   "nat TestFaultOfTheTimer",

	// Notes.
	"Learned":          "switch TestSteps",
	"Moved":            "switch TestMoves",
	"FDBFull":          "switch TestSteps",
	"Looped":           "switch TestLoopOfStrangers",
	"AddressConflict":  "switch TestAddressConflict",
	"Known":            "switch TestSteps",
	"Static":           "switch TestSentIsSent",
	"UnknownUnicast":   "switch TestSteps",
	"BroadcastFrame":   "switch TestOutputSteps",
	"MulticastFrame":   "switch TestSteps",
	"NothingLearned":   "switch TestAHubSaysThatItIsOne",
	"GatewayAddress":   "switch TestSteps",
	"SegmentsTogether": "switch TestFinishTrace",
	"TunnelLearned":    "switch/vxlan TestNotesOfDepartures",
	"TunnelStatic":     "switch/vxlan TestNotesOfDepartures",
	"TunnelFlood":      "switch/vxlan TestNotesOfDepartures",
	"TunnelHeard":      "switch/vxlan TestNotesOfArrivals",
	"TunnelNew":        "switch/vxlan TestNotesOfArrivals",
	"TunnelMoved":      "switch/vxlan TestNotesOfArrivals",
	"TunnelFull":       "switch/vxlan TestNotesOfArrivals",
	"ARPAnswered":      "nat TestEveryOtherNoteIsTold",
	"ARPProbed":        "nat TestARPIsTold",
	"ARPNotMine":       "nat TestEveryOtherNoteIsTold",
	"ARPLearned":       "nat TestTraceWaiting",
	"ARPHeard":         "nat TestAQuestionAfterAnOldNeighbourIsTold",
	"ARPIgnored":       "nat TestARPIsTold",
	"ARPConflict":      "nat TestA7Conflict",
	"ARPDefended":      "nat TestA7Conflict",
	"ARPAnnounced":     "nat TestA7Conflict",
	"NeighborKnown":    "nat TestG12TimeoutIsTraced",
	"NeighborStatic":   "nat TestANeighbourByHandIsTold",
	"NeighborAsked":    "nat TestTraceWaiting",
	"NeighborWaiting":  "nat TestEveryOtherNoteIsTold",
	"NeighborSent":     "nat TestTraceWaiting",
	"NeighborProbe":    "nat TestAQuestionAfterAnOldNeighbourIsTold",
	"NeighborGroup":    "nat TestSixRouterAdverts",
	"MLDHeard":         "nat TestSixRouterAdverts",
	"RouterAsked":      "nat TestSixRouterAdverts",
	"RouterSilent":     "nat TestSixRouterAdverts",
	"RouterAdvertised": "nat TestSixRouterAdverts",
	"EchoAnswered":     "nat TestTracePingToTheGateway",
	"Originated":       "nat TestTracePingToTheGateway",
	"ErrorSent":        "nat TestG12TimeoutIsTraced",
	"MachineError":     "nat TestUndelivered",
	"Delivered":        "nat TestDeliveredIsTold",
	"ConnNew":          "nat TestTraceDNAT",
	"ConnOriginal":     "nat TestTraceError",
	"ConnReply":        "nat TestTraceNoTranslation",
	"ConnRelated":      "nat TestTraceError",
	"ConnUntracked":    "nat TestFragmentsAndErrorsAreTold",
	"NoRuleChanged":    "nat TestDeliveredIsTold",
	"ReplyTranslated":  "nat TestTraceDNAT",
	"SameTranslation":  "nat TestTraceMasquerade",
	"MSSLimited":       "nat TestMSSIsTold",
	"Logged":           "nat TestTraceDrops",
	"RouteConnected":   "nat TestG12TimeoutIsTraced",
	"RouteDefault":     "nat TestTraceError",
	"RoutePrefix":      "nat TestEveryOtherNoteIsTold",
	"Reassembled":      "nat TestEveryFragmentHasAnEnd",
	"FragmentHeld":     "nat TestG12TimeoutIsTraced",
	"FragmentedInto":   "nat TestFragmentsAndErrorsAreTold",
	"UplinkSent":       "nat TestFragmentsAndErrorsAreTold",
	"UplinkReceived":   "nat TestTraceError",
	"UplinkMachine":    "nat TestThisMachineIsTold",
	"UplinkAccepted":   "nat TestThisMachineIsTold",
	"Segmented":        "switch TestFinishTrace",
}

// countedByTheMachine are not emitted but read from the machine's own counters, where drops are counted.
var countedByTheMachine = map[string]bool{"NICQueue": true, "SocketQueue": true}

func TestNoDeadWords(t *testing.T) {
	words := traceWords(t)
	emitted := emittedWords(t)
	packages := map[string]*testPackage{}
	for word, text := range words {
		if !emitted[word] && !countedByTheMachine[word] {
			t.Errorf("trace.%s is emitted nowhere", word)
		}
		where, ok := provoked[word]
		if !ok {
			t.Errorf("trace.%s: provoked has to name the test that provokes it", word)
			continue
		}
		dir, name, _ := strings.Cut(where, " ")
		if packages[dir] == nil {
			packages[dir] = readTests(t, dir)
		}
		if p := packages[dir]; p.tests[name] == nil {
			t.Errorf("trace.%s: there is no %s in %s", word, name, dir)
		} else if !p.names(name, word, text) {
			t.Errorf("trace.%s: %s of %s does not name it", word, name, dir)
		}
	}
	for word := range provoked {
		if _, ok := words[word]; !ok {
			t.Errorf("there is no trace.%s", word)
		}
	}
}

// traceWords reads the names of all reasons and notes, and what a reason is called in output; notes have no name there.
func traceWords(t *testing.T) map[string]string {
	words := map[string]string{}
	for file, zero := range map[string]string{"reason.go": "NoReason", "note.go": "NoNote"} {
		f, err := parser.ParseFile(token.NewFileSet(), filepath.Join("..", "switch", "trace", file), nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range f.Decls {
			g, ok := d.(*ast.GenDecl)
			if !ok || g.Tok != token.CONST || g.Specs[0].(*ast.ValueSpec).Names[0].Name != zero {
				continue
			}
			for _, s := range g.Specs[1:] {
				s := s.(*ast.ValueSpec)
				if word := s.Names[0].Name; ast.IsExported(word) {
					words[word] = ""
					if file == "reason.go" {
						words[word] = strings.TrimSpace(s.Comment.Text())
					}
				}
			}
		}
	}
	if len(words) < 100 {
		t.Fatalf("only %d words of the trace are found", len(words))
	}
	return words
}

// emittedWords are the words that product code uses as values: not merely in a comparison or a case, or as a key.
func emittedWords(t *testing.T) map[string]bool {
	emitted := map[string]bool{}
	err := filepath.WalkDir("..", func(path string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == "testdata" || path == filepath.Join("..", "switch", "trace") || strings.HasPrefix(d.Name(), ".") && len(d.Name()) > 2) {
			return filepath.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		asked := map[ast.Node]bool{}
		ask := func(all ...ast.Expr) {
			for _, e := range all {
				asked[e] = true
			}
		}
		ast.Inspect(f, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.CaseClause:
				ask(n.List...)
			case *ast.BinaryExpr:
				ask(n.X, n.Y)
			case *ast.IndexExpr:
				ask(n.Index)
			case *ast.KeyValueExpr:
				ask(n.Key)
			case *ast.SelectorExpr:
				if x, ok := n.X.(*ast.Ident); ok && x.Name == "trace" && !asked[n] {
					emitted[n.Sel.Name] = true
				}
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return emitted
}

// testPackage is the tests of a directory.
type testPackage struct {
	tests map[string]*ast.FuncDecl
	notes map[string]string // how its tests write a note down, where they do: the map notes
}

func readTests(t *testing.T, dir string) *testPackage {
	p := &testPackage{tests: map[string]*ast.FuncDecl{}, notes: map[string]string{}}
	files, _ := filepath.Glob(filepath.Join("..", dir, "*_test.go"))
	for _, file := range files {
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range f.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				if d.Recv == nil && strings.HasPrefix(d.Name.Name, "Test") {
					p.tests[d.Name.Name] = d
				}
			case *ast.GenDecl:
				if v, ok := d.Specs[0].(*ast.ValueSpec); ok && v.Names[0].Name == "notes" && len(v.Values) == 1 {
					ast.Inspect(v.Values[0], func(n ast.Node) bool {
						if kv, ok := n.(*ast.KeyValueExpr); ok {
							key, _ := kv.Key.(*ast.SelectorExpr)
							value, _ := kv.Value.(*ast.BasicLit)
							if key != nil && value != nil {
								p.notes[key.Sel.Name], _ = strconv.Unquote(value.Value)
							}
						}
						return true
					})
				}
			}
		}
	}
	return p
}

// step is how a line of a test's trace begins: hook and verdict, and then the note.
const step = `(ingress|learn|bridge|arp|prerouting|input|route|forward|output|postrouting|neighbor|egress) ` +
	`(accept|forward|flood|local|rewrite|queue|consume|drop) `

// names reports whether a test speaks of a word: by the constant, of a reason by its name in output, of a note by a line of
// the trace that has it.
func (p *testPackage) names(test, word, text string) bool {
	var line *regexp.Regexp
	if alias := p.notes[word]; alias != "" {
		line = regexp.MustCompile(step + regexp.QuoteMeta(alias) + `($|[^\w-])`)
	}
	found := false
	ast.Inspect(p.tests[test].Body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.SelectorExpr:
			x, ok := n.X.(*ast.Ident)
			found = found || ok && x.Name == "trace" && n.Sel.Name == word
		case *ast.BasicLit:
			if n.Kind != token.STRING {
				break
			}
			s, _ := strconv.Unquote(n.Value)
			said := strings.FieldsFunc(s, func(r rune) bool { return r != '-' && (r < 'a' || r > 'z') && (r < '0' || r > '9') })
			found = found || strings.Contains(text, "-") && slices.Contains(said, text) || line != nil && line.MatchString(s)
		}
		return true
	})
	return found
}

package test

import (
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Headers of packets are written in one place: switch/frame. Whoever sends a packet calls its builders, which know the
// lengths, the checksums and what offload leaves undone.

const framePackage = "uswitch/switch/frame"

// otherFormats are the packages that write numbers in network order which are in no packet's header.
var otherFormats = map[string]string{
	"uswitch/cmd/internal/docker/types":  "Docker's stream of a container's output (stdcopy)",
	"uswitch/cmd/internal/tools/tcpdump": "the header of LINUX_SLL2, which is a capture file's",
	"uswitch/tap":                        "attributes of netlink",
}

// checksums are what only builders need.
var checksums = map[string]bool{"Checksum": true, "PseudoHeader": true, "UpdateChecksum": true, "UpdateChecksum32": true, "UpdateChecksumAddr": true}

func TestBytesAreWrittenInOnePlace(t *testing.T) {
	out, err := exec.Command("go", "list", "-export", "-deps", "-json=ImportPath,Dir,Export,GoFiles,CgoFiles", "../...").Output()
	if err != nil {
		t.Fatal(err)
	}
	type listed struct {
		ImportPath, Dir, Export string
		GoFiles                 []string
	}
	export, ours := map[string]string{}, []listed{}
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p listed
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		export[p.ImportPath] = p.Export
		if strings.HasPrefix(p.ImportPath, "uswitch/") {
			ours = append(ours, p)
		}
	}
	files := token.NewFileSet()
	known := importer.ForCompiler(files, "gc", func(path string) (io.ReadCloser, error) { return os.Open(export[path]) })
	seesAll(t, files, known)
	used := map[string]bool{}
	for _, p := range ours {
		if p.ImportPath == framePackage {
			continue
		}
		var parsed []*ast.File
		for _, name := range p.GoFiles {
			f, err := parser.ParseFile(files, filepath.Join(p.Dir, name), nil, parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			parsed = append(parsed, f)
		}
		info := types.Info{Types: map[ast.Expr]types.TypeAndValue{}, Uses: map[*ast.Ident]types.Object{}}
		if _, err := (&types.Config{Importer: known}).Check(p.ImportPath, files, parsed, &info); err != nil {
			t.Fatal(err)
		}
		for _, f := range parsed {
			for at, what := range handwritten(f, &info) {
				if what == inNetworkOrder && otherFormats[p.ImportPath] != "" {
					used[p.ImportPath] = true
					continue
				}
				t.Errorf("%s: %s; headers are written by switch/frame", files.Position(at), what)
			}
		}
	}
	for p, what := range otherFormats {
		if !used[p] {
			t.Errorf("%s writes no numbers in network order any more: take %q out of the list", p, what)
		}
	}
}

// seesAll makes sure that handwritten finds each way to write a header by hand.
func seesAll(t *testing.T, files *token.FileSet, known types.Importer) {
	const byHand = `package p
		import ("encoding/binary"; "uswitch/switch/frame")
		func write(ip frame.IPv4, m frame.ICMP, b []byte) {
			ip[8] = 64                              // 1
			ip[8]--                                 // 2
			copy(ip[12:16], b)                      // 3
			clear(m[4:])                            // 4
			binary.BigEndian.PutUint16(b[2:], 20)   // 5
			_ = binary.BigEndian.AppendUint32(b, 1) // 6
			_ = frame.Checksum(b, 0)                // 7
			m.SetChecksum()
			b[0] = 0x45
			binary.LittleEndian.PutUint16(b, 1)
		}`
	f, err := parser.ParseFile(files, "by_hand.go", byHand, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	info := types.Info{Types: map[ast.Expr]types.TypeAndValue{}, Uses: map[*ast.Ident]types.Object{}}
	if _, err := (&types.Config{Importer: known}).Check("p", files, []*ast.File{f}, &info); err != nil {
		t.Fatal(err)
	}
	if found := handwritten(f, &info); len(found) != 7 {
		t.Fatalf("of seven ways to write a header by hand %d are seen: %v", len(found), found)
	}
}

const inNetworkOrder = "a number is written in network order"

// handwritten finds where a file writes what only builders should.
func handwritten(f *ast.File, info *types.Info) map[token.Pos]string {
	found := map[token.Pos]string{}
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.SelectorExpr:
			used := info.Uses[n.Sel]
			if used == nil || used.Pkg() == nil {
				break
			}
			name := used.Name()
			if used.Pkg().Path() == "encoding/binary" && (strings.HasSuffix(name, "Uint16") || strings.HasSuffix(name, "Uint32")) &&
				(strings.HasPrefix(name, "Put") || strings.HasPrefix(name, "Append")) && strings.HasSuffix(fmt.Sprint(info.Types[n.X].Type), "bigEndian") {
				found[n.Pos()] = inNetworkOrder
			}
			if used.Pkg().Path() == framePackage && checksums[name] {
				found[n.Pos()] = "frame." + name + " is used"
			}
		case *ast.AssignStmt:
			for _, left := range n.Lhs {
				if i, ok := left.(*ast.IndexExpr); ok && isView(info, i.X) {
					found[i.Pos()] = "a byte of a header is written"
				}
			}
		case *ast.IncDecStmt:
			if i, ok := n.X.(*ast.IndexExpr); ok && isView(info, i.X) {
				found[i.Pos()] = "a byte of a header is written"
			}
		case *ast.CallExpr:
			if name, ok := n.Fun.(*ast.Ident); ok && (name.Name == "copy" || name.Name == "clear") && isView(info, n.Args[0]) {
				found[n.Pos()] = "bytes of a header are written"
			}
		}
		return true
	})
	return found
}

// isView reports whether an expression is one of frame's views of bytes, or a slice of one.
func isView(info *types.Info, e ast.Expr) bool {
	named, ok := types.Unalias(info.Types[e].Type).(*types.Named)
	if !ok || named.Obj().Pkg() == nil || named.Obj().Pkg().Path() != framePackage {
		return false
	}
	_, slice := named.Underlying().(*types.Slice)
	return slice
}

// Command tlog checks an exported log with golang.org/x/mod/sumdb and nothing of ours: the checkpoint with note,
// every leaf (no sample) with tlog.ProveRecord and CheckRecord over the tiles as they lie there, the entry bytes
// against the leaf hashes, and, given an earlier checkpoint, tlog.ProveTree and CheckTree.
//
//	tlog DIR VKEY [EARLIER]
//
// Exit code 0: all held; 1: something did not, named on standard error; 2: the command is wrong.
package main

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const height = 8

// folder reads the tiles of a log as C2SP tlog-tiles lays them out.
type folder string

func (f folder) Height() int { return height }

func (f folder) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	data := make([][]byte, len(tiles))
	for i, tile := range tiles {
		read, err := os.ReadFile(filepath.Join(string(f), path(tile)))
		if err != nil {
			return nil, err
		}
		if len(read) != tile.W*tlog.HashSize {
			return nil, fmt.Errorf("%s has %d bytes", path(tile), len(read))
		}
		data[i] = read
	}
	return data, nil
}

func (f folder) SaveTiles([]tlog.Tile, [][]byte) {}

// path drops the height from Go's spelling: tile/8/0/x001/067 is tile/0/x001/067.
func path(tile tlog.Tile) string {
	return strings.Replace(tile.Path(), fmt.Sprintf("tile/%d/", height), "tile/", 1)
}

func open(file, vkey string) (tlog.Tree, error) {
	verifier, err := note.NewVerifier(vkey)
	if err != nil {
		return tlog.Tree{}, err
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return tlog.Tree{}, err
	}
	opened, err := note.Open(text, note.VerifierList(verifier))
	if err != nil {
		return tlog.Tree{}, err
	}
	lines := strings.SplitN(opened.Text, "\n", 4)
	if len(lines) != 4 || lines[0] != verifier.Name() || lines[3] != "" {
		return tlog.Tree{}, fmt.Errorf("%s: not a checkpoint of %s", file, verifier.Name())
	}
	// Go's own parser of tree heads wants its own first line.
	return tlog.ParseTree([]byte("go.sum database tree\n" + lines[1] + "\n" + lines[2] + "\n"))
}

func entries(dir string, size int64) ([][]byte, error) {
	var all [][]byte
	for number := int64(0); number*256 < size; number++ {
		width := min(256, size-number*256)
		tile := tlog.Tile{H: height, L: -1, N: number, W: int(width)}
		name := strings.Replace(path(tile), "tile/data/", "tile/entries/", 1)
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			return nil, err
		}
		for ; width > 0; width-- {
			if len(data) < 2 || len(data)-2 < int(binary.BigEndian.Uint16(data)) {
				return nil, fmt.Errorf("%s ends inside an entry", name)
			}
			end := 2 + int(binary.BigEndian.Uint16(data))
			all, data = append(all, data[2:end]), data[end:]
		}
		if len(data) != 0 {
			return nil, fmt.Errorf("%s has more entries than its name says", name)
		}
	}
	return all, nil
}

func check(dir, vkey, earlier string) error {
	tree, err := open(filepath.Join(dir, "checkpoint"), vkey)
	if err != nil {
		return err
	}
	all, err := entries(dir, tree.N)
	if err != nil {
		return err
	}
	reader := tlog.TileHashReader(tree, folder(dir))
	if root, err := tlog.TreeHash(tree.N, reader); err != nil || root != tree.Hash {
		return fmt.Errorf("the tiles do not give the signed root: %v", err)
	}
	for index, entry := range all {
		proof, err := tlog.ProveRecord(tree.N, int64(index), reader)
		if err != nil {
			return fmt.Errorf("entry %d: %w", index, err)
		}
		if err := tlog.CheckRecord(proof, tree.N, tree.Hash, int64(index), tlog.RecordHash(entry)); err != nil {
			return fmt.Errorf("entry %d: %w", index, err)
		}
	}
	if earlier == "" {
		return nil
	}
	old, err := open(earlier, vkey)
	if err != nil || old.N == 0 {
		return err
	}
	if old.N > tree.N {
		return fmt.Errorf("the log had %d entries before, now %d", old.N, tree.N)
	}
	proof, err := tlog.ProveTree(tree.N, old.N, reader)
	if err != nil {
		return err
	}
	return tlog.CheckTree(proof, tree.N, tree.Hash, old.N, old.Hash)
}

func main() {
	if len(os.Args) < 3 || len(os.Args) > 4 {
		fmt.Fprintln(os.Stderr, "usage: tlog DIR VKEY [EARLIER]")
		os.Exit(2)
	}
	if err := check(os.Args[1], os.Args[2], strings.Join(os.Args[3:], "")); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println("every leaf is in the log")
}

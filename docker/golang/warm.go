// What most programs import, so that it is compiled before they come.
package main

import (
	"bufio"
	"fmt"
	"math"
	"os"
	"sort"
	"strconv"
	"strings"
	"sync"
	"time"
)

func main() {
	var wait sync.WaitGroup
	wait.Add(1)
	go wait.Done()
	wait.Wait()
	words := strings.Fields("b a")
	sort.Strings(words)
	number, _ := strconv.Atoi("1")
	bufio.NewWriter(os.Stdout).Flush()
	fmt.Println(words, math.Sqrt(float64(number)), time.Duration(number))
}

# A guest of one disk sector: no kernel, 8 MiB of memory, running a tenth of a second after its start.
#
#   "GANNET-GUEST-READY <greeting> <count>"   once, when it runs; <count> is what it found on its disk
#   "HB <count>"                              about nine times a second (every 2nd BIOS tick), eight hexadecimal digits
#   "DISK-ERROR"                              when the disk cannot be written
#   "GANNET-GUEST-OFF"                        when the ACPI power button was pressed, just before it is off
#
# All on COM1, which it also echoes. The count goes to sector 1 ("GHB1", 32 bits little-endian) every 16th heartbeat and before
# power-off, and continues from there at the next start: it shows whether a disk survived.
#
# At 0x1d8 an installer may change: 1 byte, BIOS ticks between heartbeats; 24 bytes, the greeting, filled up with zeros.
# ACPI registers are where SeaBIOS puts them on both i440fx and q35 (PM base 0x600). Devices that are to be unplugged are given up
# at once, where the machine is an i440fx (QEMU: docs/specs/acpi_pci_hotplug.rst).

        .code16
        .globl  _start
        .set    PM1_STS, 0x600
        .set    PM1_EN, 0x602
        .set    PM1_CNT, 0x604
        .set    PCI_DOWN, 0xae04        # slots that are asked for; writing them to the next register gives them up
        .set    COM_DATA, 0x3f8
        .set    COM_STATUS, 0x3fd
        .set    TICKS, 0x46c
        .set    record, 0x7e00          # sector 1 in memory

_start: cli
        xor     %ax, %ax
        mov     %ax, %ds
        mov     %ax, %es
        mov     %ax, %ss
        mov     $0x7c00, %sp
        sti
        cld
        mov     %dl, drive
        mov     $PM1_EN, %dx
        mov     $0x0100, %ax            # the power button raises its status bit
        out     %ax, %dx

        mov     $0x42, %ah              # what an earlier start left
        call    disk
        cmpl    $0x31424847, record     # "GHB1"
        je      ready
        xor     %eax, %eax
        mov     %eax, record + 4
ready:  movl    $0x31424847, record
        mov     $hello, %si
        call    puts
        mov     $greeting, %si
        call    puts
        mov     $' ', %al
        call    putc
        call    count

beat:   incl    record + 4
        mov     $hb, %si
        call    puts
        call    count
        testb   $15, record + 4
        jnz     1f
        call    save
1:      movzbw  interval, %bx
        add     TICKS, %bx

idle:   hlt
        mov     $PM1_STS, %dx
        in      %dx, %ax
        test    $1, %ah
        jnz     off
        mov     $PCI_DOWN, %dx
        in      %dx, %eax
        test    %eax, %eax
        jz      8f
        add     $4, %dl
        out     %eax, %dx
8:      mov     $COM_STATUS, %dx
        in      %dx, %al
        test    $1, %al
        jz      2f
        mov     $COM_DATA, %dx
        in      %dx, %al
        call    putc
2:      cmp     TICKS, %bx
        jns     idle
        jmp     beat

off:    call    save
        mov     $bye, %si
        call    puts
        mov     $PM1_CNT, %dx
        mov     $0x2000, %ax            # sleep type 0 is S5
        out     %ax, %dx
3:      hlt
        jmp     3b

save:   mov     $0x43, %ah
        call    disk
        jnc     4f
        mov     $broken, %si
        jmp     puts

disk:   mov     $packet, %si            # AH: 0x42 reads, 0x43 writes
        mov     drive, %dl
        xor     %al, %al
        int     $0x13
4:      ret

count:  mov     record + 4, %ebp        # eight digits and the end of the line
        mov     $8, %cx
5:      rol     $4, %ebp
        mov     %bp, %ax
        and     $15, %al
        cmp     $10, %al                # 0..9, a..f
        jb      6f
        add     $39, %al
6:      add     $48, %al
        call    putc
        loop    5b
        mov     $eol, %si
puts:   lodsb
        test    %al, %al
        jz      4b
        call    putc
        jmp     puts

putc:   push    %ax
        mov     $COM_STATUS, %dx
7:      in      %dx, %al
        test    $0x20, %al
        jz      7b
        pop     %ax
        mov     $COM_DATA, %dx
        out     %al, %dx
        ret

hello:  .ascii  "\r\nGANNET-GUEST-READY \0"
hb:     .ascii  "HB \0"
bye:    .ascii  "GANNET-GUEST-OFF"
eol:    .ascii  "\r\n\0"
broken: .ascii  "DISK-ERROR\r\n\0"
drive:  .byte   0
packet: .byte   16, 0
        .word   1, record, 0
        .quad   1

        .org    0x1d8
interval:
        .byte   2
greeting:
        .asciz  "tiny"
        .org    510
        .word   0xaa55

// Stands in for Jenkins, as far as the page about it needs: runs the steps of a Jenkinsfile in their order.
// `sh` shows each command, as in Jenkins, and `withCredentials` masks what it binds.
import org.codehaus.groovy.control.CompilerConfiguration

abstract class Jenkins extends Script {
    static failed = false
    static bound = [:]

    // pipeline, agent, stages, stage, steps, post, always…
    def methodMissing(String name, args) {
        args.findAll { it instanceof Closure }.each { it() }
    }

    def propertyMissing(String name) { name } // agent any

    def steps(Closure body) {
        try { body() } catch (IllegalStateException stop) { failed = true } // `post` still runs
    }

    def triggers(Closure body) {}

    def string(Map credential) { [(credential.variable): System.getenv(credential.credentialsId.replace('-', '_'))] }

    def withCredentials(List credentials, Closure body) {
        credentials.each { bound.putAll(it) }
        body()
        bound.clear()
    }

    def junit(String file) { println "junit: ${new File(file).text.count('<failure')} failed" }

    def sh(String command) {
        def builder = new ProcessBuilder('sh', '-xec', command).redirectErrorStream(true)
        builder.environment() << bound
        def process = builder.start()
        process.outputStream.close()
        def log = process.inputStream.text
        bound.values().each { log = log.replace(it, '****') }
        print log
        if (process.waitFor() != 0) throw new IllegalStateException(command)
    }
}

def configuration = new CompilerConfiguration(scriptBaseClass: Jenkins.name)
new GroovyShell(this.class.classLoader, new Binding(), configuration).evaluate(new File(args[0]))
System.exit(Jenkins.failed ? 1 : 0)
